/**
 * What a chart gets for `xstate` while its mutants are tested: the same library, except that the
 * machine under test is made from the mutant's configuration.
 */
import { setup as realSetup, createMachine as realCreateMachine } from 'xstate';
import { mutation } from './mutation.ts';
import type { ChartConfig } from './mutants.ts';

export * from 'xstate';

export const setup: typeof realSetup = (definitions) => {
  const made = realSetup(definitions);
  return { ...made, createMachine: (config) => made.createMachine(mutated(config)) };
};

export const createMachine: typeof realCreateMachine = (config) =>
  realCreateMachine(mutated(config));

function mutated<T>(config: T): T {
  const { current, made } = mutation();
  const { id } = config as ChartConfig;
  made.add(id);
  return current !== null && current.id === id ? (current as T) : config;
}
