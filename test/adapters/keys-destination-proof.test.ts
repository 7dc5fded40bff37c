import { Buffer } from 'node:buffer';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAgentServer } from '../../adapters/agent/agent-server.ts';
import {
  readDestinationProof,
  type DestinationProof,
} from '../../adapters/keys/destination-proof.ts';
import { certificateProblem } from '../../adapters/keys/host-certificate.ts';
import { readHostKey } from '../../adapters/keys/host-key.ts';
import { signWithP256 } from '../../adapters/keys/p256.ts';
import { fingerprint, publicIdentity, publicKeyLine } from '../../adapters/keys/public-key.ts';
import { readSignData, type SignData } from '../../adapters/keys/sign-data.ts';
import type { SessionBind } from '../../adapters/wire/session-bind.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';
import {
  certifyByOpenSsh,
  hostCertificate,
  hostKeyPair,
  hostKeyTypes,
  makeKeyByOpenSsh,
  publicBlobOfFile,
  type HostKeyPair,
  type SignatureParts,
} from './host-key-examples.ts';
import {
  certificate,
  hostboundLogin,
  inTemporaryFolder,
  key,
  login,
  sessionId,
  sshsig,
  str,
} from './keys-examples.ts';

/** The server that the person logs in to, and a host in between with its own key. */
const target = hostKeyPair('ssh-ed25519');
const middle = hostKeyPair('ecdsa-sha2-nistp256');
const ca = hostKeyPair('ssh-ed25519');
const certified = hostCertificate(target, ca);

const sessionOf = (name: string) => createHash('sha256').update(name).digest();
const toMiddle = sessionOf('exchange with the host in between');

function bindTo(pair: HostKeyPair, changes: Partial<SessionBind> = {}): SessionBind {
  const bound = changes.sessionId ?? sessionId;
  return {
    hostKey: pair.blob,
    sessionId: bound,
    signature: pair.sign(bound),
    isForwarding: false,
    ...changes,
  };
}

const forwardedBy = (pair: HostKeyPair, session: Buffer) =>
  bindTo(pair, { sessionId: session, isForwarding: true });

const plain = read(login());
const bound = read(hostboundLogin({ after: str(target.blob) }));

function read(data: Uint8Array): SignData {
  const signData = readSignData(data);
  expect.assert(signData !== null);
  return signData;
}

const hostOf = ({ keyType, blob }: HostKeyPair) => ({
  keyType,
  fingerprint: fingerprint(blob),
  certificate: null,
});
const hop = ({ keyType, blob }: HostKeyPair) => ({
  keyType,
  fingerprint: fingerprint(blob),
  proven: true,
});
const unproven = (why: 'noBind' | 'unsupportedHostKey' | 'signature', hops: unknown[] = []) => ({
  ok: true,
  strength: 'none',
  host: null,
  hops,
  why,
});
const refused = (problem: Extract<DestinationProof, { ok: false }>['problem']) => ({
  ok: false,
  problem,
});

describe('a login is bound', () => {
  test.each(hostKeyTypes)('to a host with a key of type %s', (keyType) => {
    const pair = hostKeyPair(keyType);
    const data = read(hostboundLogin({ after: str(pair.blob) }));
    expect(readDestinationProof(data, [bindTo(pair)])).toEqual({
      ok: true,
      strength: 'bound',
      host: hostOf(pair),
      hops: [],
      why: null,
    });
  });

  test.each([
    ['the certificate', certified],
    ['the plain key inside it', target.blob],
  ])('to a host with a certificate, when the bytes name %s', (_what, named) => {
    const data = read(hostboundLogin({ after: str(named) }));
    const proof = readDestinationProof(data, [bindTo(target, { hostKey: certified })]);
    expect(proof).toEqual({
      ok: true,
      strength: 'bound',
      host: {
        ...hostOf(target),
        certificate: {
          caFingerprint: fingerprint(ca.blob),
          principals: ['web1', 'web1.example.com'],
          validAfter: 1_000n,
          validBefore: 2_000n,
          defect: null,
        },
      },
      hops: [],
      why: null,
    });
  });

  test('with a user certificate in hostbound bytes', () => {
    const algorithm = 'ecdsa-sha2-nistp256-cert-v01@openssh.com';
    const changes = { algorithm, keyBlob: certificate() };
    const data = read(hostboundLogin({ ...changes, after: str(target.blob) }));
    expect(data.kind).toBe('certificate');
    expect(readDestinationProof(data, [bindTo(target)])).toMatchObject({ strength: 'bound' });
    const inPlainBytes = read(login(changes));
    expect(inPlainBytes.kind).toBe('certificate');
    expect(readDestinationProof(inPlainBytes, [bindTo(target)])).toMatchObject({
      strength: 'vouched',
    });
  });

  test('behind the hosts that forward the agent, first hop first', () => {
    const second = hostKeyPair('ssh-ed25519');
    const proof = readDestinationProof(bound, [
      forwardedBy(middle, toMiddle),
      forwardedBy(second, sessionOf('second')),
      bindTo(target),
    ]);
    expect(proof).toEqual({
      ok: true,
      strength: 'bound',
      host: hostOf(target),
      hops: [hop(middle), hop(second)],
      why: null,
    });
  });

  test('behind the same host twice, in two sessions', () => {
    const proof = readDestinationProof(bound, [
      forwardedBy(middle, toMiddle),
      forwardedBy(middle, sessionOf('again')),
      bindTo(target),
    ]);
    expect(proof).toMatchObject({ strength: 'bound', hops: [hop(middle), hop(middle)] });
  });

  test('behind a hop whose key cannot be checked, which is said', () => {
    const dss = Buffer.concat([str('ssh-dss'), str('p')]);
    const proof = readDestinationProof(bound, [
      { ...forwardedBy(middle, toMiddle), hostKey: dss },
      bindTo(target),
    ]);
    expect(proof).toMatchObject({
      strength: 'bound',
      hops: [{ keyType: 'ssh-dss', fingerprint: fingerprint(dss), proven: false }],
    });
  });

  test('to a certificate with a defect, which goes with the proof', () => {
    const forged = hostCertificate(target, ca, { signature: ca.sign(Buffer.of(1)) });
    const proof = readDestinationProof(bound, [bindTo(target, { hostKey: forged })]);
    expect(proof).toMatchObject({
      strength: 'bound',
      host: { fingerprint: fingerprint(target.blob), certificate: { defect: 'badSignature' } },
    });
  });

  test('to a certificate that has expired, which is for its reader to tell', () => {
    const proof = readDestinationProof(bound, [bindTo(target, { hostKey: certified })]);
    expect.assert(proof.ok && proof.host?.certificate);
    expect(certificateProblem(proof.host.certificate, 'web1', 1_500_000)).toBeNull();
    expect(certificateProblem(proof.host.certificate, 'web1', 2_500_000)).toBe('expired');
  });
});

describe('a host that relays the session id of another', () => {
  test('with its own key over plain bytes has vouched, and is named itself: never the target', () => {
    expect(readDestinationProof(plain, [bindTo(middle)])).toEqual({
      ok: true,
      strength: 'vouched',
      host: hostOf(middle),
      hops: [],
      why: null,
    });
  });

  test('is a hop as well once the agent was forwarded to it', () => {
    const binds = [forwardedBy(middle, toMiddle), bindTo(middle)];
    expect(readDestinationProof(plain, binds)).toEqual({
      ok: true,
      strength: 'vouched',
      host: hostOf(middle),
      hops: [hop(middle)],
      why: null,
    });
  });

  test('is refused over hostbound bytes, which name the target', () => {
    expect(readDestinationProof(bound, [bindTo(middle)])).toEqual(refused('wrongHostKey'));
    const binds = [forwardedBy(middle, toMiddle), bindTo(middle)];
    expect(readDestinationProof(bound, binds)).toEqual(refused('wrongHostKey'));
  });

  test("is refused with the target's key, for which it cannot sign", () => {
    const binds = [bindTo(target, { signature: middle.sign(sessionId) })];
    expect(readDestinationProof(bound, binds)).toEqual(refused('badSignature'));
    expect(readDestinationProof(plain, binds)).toEqual(refused('badSignature'));
  });

  test("is refused with the target's certificate, for whose key it cannot sign", () => {
    const binds = [bindTo(middle, { hostKey: certified })];
    expect(readDestinationProof(bound, binds)).toEqual(refused('badSignature'));
  });

  test('is refused with a certificate of its own over bytes that name the target', () => {
    const hostKey = hostCertificate(middle, ca);
    expect(readDestinationProof(bound, [bindTo(middle, { hostKey })])).toEqual(
      refused('wrongHostKey'),
    );
  });

  test('is refused when it passes its own forwarded session off as a login', () => {
    const data = read(login({ sessionId: toMiddle }));
    expect(readDestinationProof(data, [forwardedBy(middle, toMiddle)])).toEqual(
      refused('wrongSession'),
    );
  });
});

describe('forgeries, each refused and never a weaker proof', () => {
  test.each<[string, ReturnType<typeof refused>, SignData, SessionBind[]]>([
    [
      'a bind replayed from another session of the same host',
      refused('wrongSession'),
      bound,
      [bindTo(target, { sessionId: sessionOf('another') })],
    ],
    [
      'the same over plain bytes',
      refused('wrongSession'),
      plain,
      [bindTo(target, { sessionId: sessionOf('another') })],
    ],
    [
      'the session id of these bytes with the signature from another session',
      refused('badSignature'),
      bound,
      [bindTo(target, { signature: target.sign(sessionOf('another')) })],
    ],
    [
      'a host key swapped for another',
      refused('badSignature'),
      bound,
      [bindTo(target, { hostKey: middle.blob })],
    ],
    [
      'bytes that name another host key than the bound one',
      refused('wrongHostKey'),
      read(hostboundLogin({ after: str(middle.blob) })),
      [bindTo(target)],
    ],
    [
      'bytes that name a certificate of the plain key that is bound',
      refused('wrongHostKey'),
      read(hostboundLogin({ after: str(certified) })),
      [bindTo(target)],
    ],
    [
      'bytes that name another certificate of the bound key',
      refused('wrongHostKey'),
      read(hostboundLogin({ after: str(hostCertificate(target, middle)) })),
      [bindTo(target, { hostKey: certified })],
    ],
    [
      'a login on the session of a hop',
      refused('wrongSession'),
      bound,
      [forwardedBy(target, sessionId)],
    ],
    [
      'a login on the session of the first of two hops',
      refused('wrongSession'),
      plain,
      [forwardedBy(target, sessionId), forwardedBy(middle, toMiddle)],
    ],
    [
      'a login on the session of a hop, with another one bound',
      refused('wrongSession'),
      plain,
      [forwardedBy(target, sessionId), bindTo(middle, { sessionId: toMiddle })],
    ],
    [
      'anything after the bind for authentication',
      refused('badOrder'),
      bound,
      [bindTo(target), forwardedBy(middle, toMiddle)],
    ],
    [
      'two binds for authentication',
      refused('badOrder'),
      bound,
      [bindTo(middle, { sessionId: toMiddle }), bindTo(target)],
    ],
    [
      'the same bind twice',
      refused('badOrder'),
      bound,
      [forwardedBy(target, sessionId), bindTo(target)],
    ],
    [
      'one session with two keys',
      refused('badOrder'),
      bound,
      [forwardedBy(middle, sessionId), bindTo(target)],
    ],
    [
      'a hop whose signature is false',
      refused('badSignature'),
      bound,
      [{ ...forwardedBy(middle, toMiddle), signature: middle.sign(sessionId) }, bindTo(target)],
    ],
    [
      'an unsupported key where the bytes name another',
      refused('wrongHostKey'),
      bound,
      [bindTo(target, { hostKey: Buffer.concat([str('ssh-dss'), str('p')]) })],
    ],
    [
      'an unsupported key of another session',
      refused('wrongSession'),
      plain,
      [
        bindTo(target, {
          hostKey: Buffer.concat([str('ssh-dss'), str('p')]),
          sessionId: toMiddle,
        }),
      ],
    ],
    [
      'a host key that is malformed',
      refused('malformed'),
      bound,
      [bindTo(target, { hostKey: target.blob.subarray(1) })],
    ],
    ['no host key', refused('malformed'), plain, [bindTo(target, { hostKey: Buffer.alloc(0) })]],
    [
      'a session id of 31 bytes',
      refused('malformed'),
      bound,
      [forwardedBy(middle, Buffer.alloc(31)), bindTo(target)],
    ],
    [
      'no signature',
      refused('badSignature'),
      bound,
      [bindTo(target, { signature: Buffer.alloc(0) })],
    ],
  ])('%s', (_what, outcome, data, binds) => {
    expect(readDestinationProof(data, binds)).toEqual(outcome);
  });

  test.each<[string, HostKeyPair, Partial<SignatureParts>]>([
    ['RSA with SHA-1', hostKeyPair('ssh-rsa'), { algorithm: 'ssh-rsa', hash: 'sha1' }],
    ['RSA with SHA-1 under a better name', hostKeyPair('ssh-rsa'), { hash: 'sha1' }],
    ['ECDSA with another hash', hostKeyPair('ecdsa-sha2-nistp384'), { hash: 'sha256' }],
    ['an Ed25519 signature under another name', target, { algorithm: 'ssh-ed448' }],
  ])('a bind signed with the wrong algorithm: %s', (_what, pair, changes) => {
    const data = read(hostboundLogin({ after: str(pair.blob) }));
    const binds = [bindTo(pair, { signature: pair.sign(sessionId, changes) })];
    expect(readDestinationProof(data, binds)).toEqual(refused('badSignature'));
  });

  test('an Ed25519 blob under the name of another type', () => {
    const renamed = Buffer.from(target.blob);
    renamed.write('ssh-ed25518', 4);
    expect(readDestinationProof(bound, [bindTo(target, { hostKey: renamed })])).toEqual(
      refused('wrongHostKey'),
    );
    expect(readDestinationProof(plain, [bindTo(target, { hostKey: renamed })])).toEqual(
      unproven('unsupportedHostKey'),
    );
  });

  test('more than sixteen binds', () => {
    const hops = Array.from({ length: 16 }, (_, n) => forwardedBy(middle, sessionOf(`${n}`)));
    expect(readDestinationProof(bound, [...hops.slice(1), bindTo(target)])).toMatchObject({
      strength: 'bound',
    });
    expect(readDestinationProof(bound, [...hops, bindTo(target)])).toEqual(refused('tooMany'));
  });

  test('every truncation of the host key and of the signature', () => {
    const { hostKey, signature } = bindTo(target, { hostKey: certified });
    for (let length = 0; length < hostKey.length; length += 1) {
      const cut = bindTo(target, { hostKey: hostKey.subarray(0, length) });
      expect(readDestinationProof(plain, [cut])).toEqual(refused('malformed'));
    }
    for (let length = 0; length < signature.length; length += 1) {
      const cut = bindTo(target, { signature: signature.subarray(0, length) });
      expect(readDestinationProof(plain, [cut])).toEqual(refused('badSignature'));
    }
  });

  test('random binds never throw, and prove nothing', () => {
    const bytes = fc.uint8Array({ maxLength: 120 });
    const bind = fc.record({
      hostKey: fc.oneof(bytes, fc.constant<Uint8Array>(target.blob)),
      sessionId: fc.oneof(bytes, fc.constant<Uint8Array>(sessionId)),
      signature: bytes,
      isForwarding: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(bind, { minLength: 1, maxLength: 4 }), (binds) => {
        const proof = readDestinationProof(bound, binds);
        expect(proof.ok ? proof.host : null).toBeNull();
      }),
    );
  });
});

describe('nothing is proven', () => {
  test('without a bind, whatever the bytes name', () => {
    expect(readDestinationProof(plain, [])).toEqual(unproven('noBind'));
    expect(readDestinationProof(bound, [])).toEqual(unproven('noBind'));
  });

  test('of a login that nobody bound, behind a host that forwards the agent', () => {
    expect(readDestinationProof(bound, [forwardedBy(middle, toMiddle)])).toEqual(
      unproven('noBind', [hop(middle)]),
    );
  });

  test.each(['ssh-dss', 'ssh-ed448-cert-v01@openssh.com'])(
    'of a host with a key of type %s',
    (keyType) => {
      const hostKey = Buffer.concat([str(keyType), str('p')]);
      const binds = [forwardedBy(middle, toMiddle), bindTo(target, { hostKey })];
      const outcome = unproven('unsupportedHostKey', [hop(middle)]);
      expect(readDestinationProof(plain, binds)).toEqual(outcome);
      const naming = read(hostboundLogin({ after: str(hostKey) }));
      expect(readDestinationProof(naming, binds)).toEqual(outcome);
    },
  );

  test('of a file or a commit, which goes nowhere, although the hops are still read', () => {
    const data = read(sshsig());
    expect(readDestinationProof(data, [])).toEqual(unproven('signature'));
    const binds = [forwardedBy(middle, toMiddle), bindTo(target)];
    expect(readDestinationProof(data, binds)).toEqual(unproven('signature', [hop(middle)]));
    const forged = [bindTo(target, { signature: middle.sign(sessionId) })];
    expect(readDestinationProof(data, forged)).toEqual(refused('badSignature'));
  });
});

const [, major = '0', minor = '0'] =
  /OpenSSH_(\d+)\.(\d+)/.exec(spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr ?? '') ?? [];
const sshBinds = Number(major) > 8 || (major === '8' && Number(minor) >= 9);
const canBind = hasSshd && sshBinds;
const unlessBinding = canBind ? '' : ' (skipped: no sshd, or an ssh before 8.9, on this machine)';

describe.skipIf(!canBind)(`what a real ssh binds and a real sshd accepts${unlessBinding}`, () => {
  test.each([
    ['ed25519', '', 'ssh-ed25519'],
    ['ecdsa', '256', 'ecdsa-sha2-nistp256'],
    ['ecdsa', '384', 'ecdsa-sha2-nistp384'],
    ['ecdsa', '521', 'ecdsa-sha2-nistp521'],
    ['rsa', '2048', 'ssh-rsa'],
  ])('a login is bound to a server with an %s key (%s)', async (type, bits, keyType) => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'host');
      makeKeyByOpenSsh(path, type, bits);
      const blob = publicBlobOfFile(`${path}.pub`);
      const { data, proof } = await logIn(folder, [`HostKey ${path}`], `web1 ${line(blob)}`);
      expect(data.kind).toBe('hostbound');
      expect(proof).toEqual({
        ok: true,
        strength: 'bound',
        host: { keyType, fingerprint: fingerprint(blob), certificate: null },
        hops: [],
        why: null,
      });
    });
  });

  test.each(['ed25519', 'ecdsa', 'rsa'])(
    'a login is bound to the %s key in the certificate that a server shows',
    async (type) => {
      await inTemporaryFolder(async (folder) => {
        const [path, caPath] = [join(folder, 'host'), join(folder, 'ca')];
        makeKeyByOpenSsh(path, type, '');
        makeKeyByOpenSsh(caPath, 'ed25519', '');
        const { file } = certifyByOpenSsh(path, caPath, ['-h', '-I', 'rack', '-n', 'web1']);
        const authority = publicBlobOfFile(`${caPath}.pub`);
        const config = [`HostKey ${path}`, `HostCertificate ${file}`];
        const known = `@cert-authority web1 ${line(authority)}`;
        const { proof } = await logIn(folder, config, known);
        expect(proof).toMatchObject({
          ok: true,
          strength: 'bound',
          host: {
            fingerprint: fingerprint(publicBlobOfFile(`${path}.pub`)),
            certificate: {
              caFingerprint: fingerprint(authority),
              principals: ['web1'],
              defect: null,
            },
          },
        });
        expect.assert(proof.ok && proof.host?.certificate);
        expect(certificateProblem(proof.host.certificate, 'web1', Date.now())).toBeNull();
        expect(certificateProblem(proof.host.certificate, 'web2', Date.now())).toBe('otherHost');
      });
    },
  );
});

/** `type base64` of a key blob, as a known_hosts line has it. */
function line(blob: Buffer): string {
  return `${readHostKey(blob)?.keyType} ${blob.toString('base64')}`;
}

/** One login by OpenSSH, as `web1`, through an agent of ours: what it asked to be signed, and how. */
async function logIn(folder: string, config: string[], known: string) {
  const sshd: Sshd = await startSshd({
    hostKeyTypes: [],
    config,
    authorizedKeys: [publicKeyLine(publicIdentity(key.publicKey, 'phone'))],
  });
  const asked: { data: SignData; proof: DestinationProof }[] = [];
  const agent = createAgentServer({
    listIdentities: () => [{ keyBlob: key.publicKey, comment: 'phone' }],
    sign: ({ connection, data: bytes }) => {
      const data = read(bytes);
      asked.push({ data, proof: readDestinationProof(data, connection.binds) });
      return Promise.resolve(signWithP256(key, bytes));
    },
    verifyBind: () => 'valid',
  });
  try {
    const socket = join(folder, 'agent');
    await agent.listen(socket);
    const knownHosts = join(folder, 'known_hosts');
    writeFileSync(knownHosts, `${known}\n`);
    const settings = {
      IdentityAgent: socket,
      UserKnownHostsFile: knownHosts,
      GlobalKnownHostsFile: '/dev/null',
      StrictHostKeyChecking: 'yes',
      HostKeyAlias: 'web1',
      BatchMode: 'yes',
      ConnectTimeout: '10',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const where = ['-p', String(sshd.port), `${userInfo().username}@${sshd.address}`];
    const ssh = spawn('ssh', ['-F', 'none', ...options, ...where, 'true'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    ssh.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const status = await new Promise((resolve) => ssh.on('close', resolve));
    expect(`${said}${String(status)}`).toBe('0');
  } finally {
    await agent.close();
    await sshd.stop();
  }
  expect(asked).toHaveLength(1);
  const [one] = asked;
  expect.assert(one !== undefined);
  return one;
}
