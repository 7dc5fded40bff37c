import { stripTypeScriptTypes } from 'node:module';

/**
 * The JavaScript in a TypeScript module whose types can be erased; imports of `./x.ts` become
 * `./x.js`, since that is what a browser gets.
 */
export function withoutTypes(source: string): string {
  return stripped(source).replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.\/[\w-]+)\.ts\2/g,
    '$1$2$3.js$2',
  );
}

/**
 * Node warns that this function may change. The release that runs here is pinned and tested, and
 * the person at the terminal has nothing to decide: this one warning is not shown.
 */
function stripped(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('stripTypeScriptTypes'))
      Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof emitWarning;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
