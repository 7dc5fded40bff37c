/** Types of the files of ssh2 1.17.0 that `client.ts` loads; `@types/ssh2` has none for them. */

declare module 'ssh2/lib/client.js' {
  const client: typeof import('ssh2').Client;
  export default client;
}

declare module 'ssh2/lib/agent.js' {
  const agent: Pick<typeof import('ssh2'), 'BaseAgent'>;
  export default agent;
}

declare module 'ssh2/lib/protocol/keyParser.js' {
  const keyParser: { parseKey: (line: string) => import('ssh2').ParsedKey | Error };
  export default keyParser;
}

declare module 'ssh2/lib/protocol/utils.js' {
  const utils: {
    /** Sends a finalized packet, or queues it while keys are exchanged. */
    sendPacket: (protocol: object, packet: Buffer) => boolean;
  };
  export default utils;
}
