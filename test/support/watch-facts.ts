import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Observable } from 'rxjs';

/** What a source of facts has said, and a way to wait for what it is to say. */
export interface Watch<Fact> {
  /** In order; grows. */
  facts: Fact[];
  /** The first fact, past ones included, that has this type and satisfies `also`. */
  until<Type extends string>(
    type: Type,
    also?: (fact: Extract<Fact, { type: Type }>) => boolean,
  ): Promise<Extract<Fact, { type: Type }>>;
  stop(): void;
}

/** Subscribes to facts and keeps them. */
export function watchFacts<Fact extends { type: string }>(source: Observable<Fact>): Watch<Fact> {
  const facts: Fact[] = [];
  const waiting = new Set<() => void>();
  const subscription = source.subscribe((fact) => {
    facts.push(fact);
    for (const look of waiting) look();
  });
  return {
    facts,
    stop: () => subscription.unsubscribe(),
    until<Type extends string>(
      type: Type,
      also: (fact: Extract<Fact, { type: Type }>) => boolean = () => true,
    ) {
      type Wanted = Extract<Fact, { type: Type }>;
      const isWanted = (fact: Fact): fact is Wanted => fact.type === type && also(fact as Wanted);
      return new Promise<Wanted>((resolve) => {
        const look = (): void => {
          const wanted = facts.find(isWanted);
          if (wanted === undefined) return;
          waiting.delete(look);
          resolve(wanted);
        };
        waiting.add(look);
        look();
      });
    },
  };
}

/** The JSON lines a program prints; unsubscribing ends it with SIGTERM. */
export function factsOfProgram<Fact>(program: ChildProcess): Observable<Fact> {
  return new Observable((subscriber) => {
    if (program.stdout === null) throw new Error('stdout must be a pipe');
    createInterface({ input: program.stdout }).on('line', (line) =>
      subscriber.next(JSON.parse(line) as Fact),
    );
    return () => void program.kill('SIGTERM');
  });
}

/** The exit status of a program, waiting for its end if need be. */
export async function exitStatus(program: ChildProcess): Promise<number | string | null> {
  if (program.exitCode === null && program.signalCode === null) await once(program, 'exit');
  return program.exitCode ?? program.signalCode;
}
