/** The stream is not at the version that the writer expected: someone else appended, or nobody did. */
export class WrongExpectedVersion extends Error {
  override readonly name = 'WrongExpectedVersion';
  readonly stream: string;
  readonly expected: number;
  readonly actual: number;

  constructor(stream: string, expected: number, actual: number) {
    super(`stream ${stream} is at version ${actual}, not ${expected}`);
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** An event id is in the log already, with another content or in another place. */
export class EventIdReused extends Error {
  override readonly name = 'EventIdReused';

  constructor(id: string) {
    super(`event id ${id} was used before for something else`);
  }
}

/** The log cannot be read or written now: permissions, disk full, I/O, locked for too long. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
}

/** The log's content contradicts itself: damaged, gaps, or not an event log at all. */
export class LogInconsistent extends Error {
  override readonly name = 'LogInconsistent';
}

/** A newer program wrote this log. It was not touched. */
export class LogFromNewerProgram extends Error {
  override readonly name = 'LogFromNewerProgram';
  readonly format: number;

  constructor(file: string, format: number, known: number) {
    super(`${file} has log format ${format}; this program knows ${known} and below`);
    this.format = format;
  }
}

/** A bug: an event holds something that JSON cannot give back, or that differs from run to run. */
export class UnrecordableEvent extends Error {
  override readonly name = 'UnrecordableEvent';
}

/** SQLite's primary result codes: `sqlite.org/rescode.html`. */
const SQLITE_ERROR = 1;
const SQLITE_CORRUPT = 11;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;
const damaged = new Set([SQLITE_ERROR, SQLITE_CORRUPT, SQLITE_CONSTRAINT, SQLITE_NOTADB]);

/**
 * What an error of SQLite or of the file system means for the log.
 *
 * Returns anything else as it is: the log's own errors, and bugs.
 */
export function asLogError(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const options = { cause: error };
  if (error.code === 'ERR_SQLITE_ERROR' && 'errcode' in error) {
    const message = `${file}: ${error.message}`;
    return damaged.has(Number(error.errcode) & 0xff)
      ? new LogInconsistent(message, options)
      : new LogUnavailable(message, options);
  }
  if (error.code === 'ERR_OUT_OF_RANGE')
    return new LogInconsistent(`${file}: ${error.message}`, options);
  if ('syscall' in error) return new LogUnavailable(error.message, options);
  return error;
}

/** Runs `work`, with errors of SQLite and the file system as {@link asLogError} names them. */
export function withLogErrors<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asLogError(error, file);
  }
}
