/**
 * What a host gone bad runs: `agent-relay.ts HOST_KEY_FILE PORT KEY`. It logs in as root at that
 * port of its loopback, by that key of a forwarded agent (a blob in base64). Before the signature it
 * binds the session with its own host key, as if the login were one at this host. Prints what became
 * of it, a line each.
 */
import { Client, BaseAgent, type KnownPublicKeys, type SignCallback } from 'ssh2';
import { hostKeyPairOfFile } from '../adapters/host-key-examples.ts';
import { connectAgent } from './agent-client.ts';
import { bindOf } from './proofs.ts';

const [hostKeyFile = '', port = '', key = ''] = process.argv.slice(2);
const host = hostKeyPairOfFile(hostKeyFile);
const agent = await connectAgent(process.env['SSH_AUTH_SOCK'] ?? '');
const keyBlob = Buffer.from(key, 'base64');

class RelayingAgent extends BaseAgent<Buffer> {
  override getIdentities(done: (error?: Error | null, keys?: KnownPublicKeys<Buffer>) => void) {
    done(null, [keyBlob]);
  }
  override sign(_key: Buffer, data: Buffer, ...rest: unknown[]): void {
    const done = rest.at(-1) as SignCallback;
    void relay(data).then((signature) => {
      if (signature === null) done(new Error('no signature'));
      else done(null, ecdsaIn(signature));
    });
  }
}

async function relay(data: Buffer): Promise<Buffer | null> {
  const sessionId = data.subarray(4, 4 + data.readUInt32BE());
  process.stdout.write(`bound ${await agent.bind(bindOf(host, sessionId))}\n`);
  const signature = await agent.sign(keyBlob, data);
  process.stdout.write(`signed ${signature !== null}\n`);
  return signature;
}

/** The two numbers of an ECDSA signature blob (RFC 5656 §3.1.2), which ssh2 wraps itself. */
function ecdsaIn(blob: Buffer): Buffer {
  return blob.subarray(8 + blob.readUInt32BE());
}

const client = new Client();
client.on('ready', () => {
  process.stdout.write('logged in\n');
  client.end();
});
client.on('error', () => void agent.close());
client.on('close', () => void agent.close());
client.connect({
  host: '127.0.0.1',
  port: Number(port),
  username: 'root',
  hostVerifier: () => true,
  agent: new RelayingAgent(),
});
