/** The demo did not show what it is there to show; the message says in what. Exit status 1. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}
