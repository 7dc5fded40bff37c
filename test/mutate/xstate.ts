/**
 * What a chart gets for `xstate` while its mutants are tested: the same library, except that the
 * machine under test is made from the mutant's configuration.
 */
import { setup as realSetup, createMachine as realCreateMachine } from 'xstate';
import { mutation } from './mutation.ts';
import type { ChartConfig } from './mutants.ts';

/** What `setup` gives, with its types left to those who use it. */
interface Made {
  createMachine: (config: never) => unknown;
  extend: (definitions: never) => Made;
}

export * from 'xstate';

export const setup: typeof realSetup = (definitions) => mutating(realSetup(definitions));

/** A setup, and whatever extends it, that makes the mutant. */
function mutating<T extends Made>(made: T): T {
  return {
    ...made,
    createMachine: (config: never) => made.createMachine(mutated(config)),
    extend: (definitions: never) => mutating(made.extend(definitions)),
  };
}

export const createMachine: typeof realCreateMachine = (config) =>
  realCreateMachine(mutated(config));

function mutated<T>(config: T): T {
  const { current, made } = mutation();
  const { id } = config as ChartConfig;
  made.add(id);
  return current !== null && current.id === id ? (current as T) : config;
}
