import type { AnyActorScope } from 'xstate';
import type { RecorderGroup } from './recorder-group.ts';

type Action = Parameters<AnyActorScope['actionExecutor']>[0];

/**
 * `scope` in which nothing runs any more once the group has halted, not even the rest of a step
 * that is under way; except the stopping of child actors, so that none is left behind.
 */
export function gatedScope(scope: AnyActorScope, group: RecorderGroup): AnyActorScope {
  let stopping = false;
  const gated: AnyActorScope = {
    ...scope,
    defer(work) {
      const isStop = stopping;
      scope.defer(() => {
        if (isStop || !group.halted) work();
      });
    },
    actionExecutor(action: Action) {
      const { exec } = action;
      if (!exec) return scope.actionExecutor(action);
      scope.actionExecutor({
        ...action,
        exec(info, params) {
          const isStop = action.type === 'xstate.stopChild';
          if (group.halted && !isStop) return;
          stopping = isStop;
          try {
            exec(info, params);
          } finally {
            stopping = false;
          }
        },
      });
    },
  };
  return gated;
}
