/**
 * One SSH connection: the whole connect flow, from Connect to the shell.
 *
 * Injected: `ssh`, the connection to the server; `link`, the way to the phone.
 */
import { because } from '../failures.ts';
import { awaitingFaceId, challengeSent, phoneAsleep, queued } from './awaiting-signer.ts';
import { initialContext, connectionSetup } from './connection.setup.ts';

export const connectionMachine = connectionSetup.createMachine({
  id: 'connection',
  description: 'One SSH connection, whose login a person approves on the phone.',
  context: initialContext,
  initial: 'idle',
  states: {
    idle: {
      description: 'Nothing was asked of this connection yet.',
      on: { 'user.connect': { target: 'session' } },
    },
    session: {
      description: 'The connection to the server is open or being opened.',
      initial: 'handshaking',
      exit: 'withdrawUnanswered',
      invoke: [
        {
          id: 'ssh',
          src: 'ssh',
          input: ({ context: { host, port, user } }) => ({ host, port, user }),
          onError: { target: '#failed', actions: because('internalError') },
        },
        {
          id: 'link',
          src: 'link',
          input: ({ context: { flowId } }) => ({ flowId }),
          onError: { target: '#failed', actions: because('internalError') },
        },
      ],
      on: {
        'user.cancel': { target: '#disconnected', actions: because('cancelled') },
        'ssh.resolved': { actions: 'rememberServer' },
        'ssh.failed': { target: '#failed', actions: 'noteSshFailure' },
        'ssh.permissionDenied': { target: '#failed', actions: because('permissionDenied') },
        'ssh.closed': { target: '#failed', actions: ['noteExit', because('serverClosed')] },
        'link.up': { actions: 'rememberPhone' },
        'link.lost': { actions: 'forgetPhone' },
      },
      states: {
        handshaking: {
          description: 'SSH transport, host key and the question which methods can log in.',
          on: {
            'ssh.hostKeyKnown': { actions: 'rememberHostKey' },
            'ssh.hostKeyUnknown': { target: 'confirmingHostKey', actions: 'rememberHostKey' },
            'ssh.hostKeyChanged': {
              target: '#failed',
              actions: ['rememberHostKey', because('hostKeyChanged')],
            },
            'ssh.hostKeyRevoked': {
              target: '#failed',
              actions: ['rememberHostKey', because('hostKeyRevoked')],
            },
            'ssh.publickeyWanted': { target: 'awaitingSigner', actions: 'startClock' },
            'ssh.publickeyNotOffered': {
              target: '#failed',
              actions: because('publickeyNotOffered'),
            },
            'ssh.authenticated': { target: 'connected' },
          },
          after: {
            handshakeTimeout: { target: '#failed', actions: because('handshakeTimedOut') },
          },
        },
        confirmingHostKey: {
          description: 'The host key is unknown; nothing goes on until the person decides.',
          on: {
            'user.acceptHostKey': { target: 'handshaking', actions: 'acceptHostKey' },
            'user.rejectHostKey': {
              target: 'rejectingHostKey',
              actions: because('hostKeyRejected'),
            },
          },
        },
        rejectingHostKey: {
          description: 'The server is left, while the connection to it can still be told.',
          entry: 'rejectHostKey',
          always: { target: '#failed' },
        },
        awaitingSigner: {
          description: 'The server wants a signature. One clock runs over everything in here.',
          initial: 'discovering',
          after: {
            signerTimeout: [
              { guard: 'isShown', target: '#timedOut', actions: because('notApproved') },
              { guard: 'isSent', target: '#timedOut', actions: because('notPresented') },
              { guard: 'isOffering', target: '#timedOut', actions: because('serverSilent') },
              {
                guard: 'isLinkedWithoutIdentity',
                target: '#timedOut',
                actions: because('noIdentity'),
              },
              {
                guard: 'wasNeverLinked',
                target: '#timedOut',
                actions: because('peerUnreachable'),
              },
              { target: '#timedOut', actions: because('linkLost') },
            ],
          },
          states: {
            discovering: {
              id: 'discovering',
              description: 'No paired phone is linked that offers what is needed.',
              entry: 'wantLink',
              always: [
                { guard: 'canSend', target: 'challengeSent' },
                { guard: 'canOffer', target: 'offering' },
              ],
              on: {
                'link.nothingFound': {
                  guard: 'wasNeverLinked',
                  target: '#failed',
                  actions: because('peerNotFound'),
                },
                'link.unusable': {
                  guard: 'noWaitingHelps',
                  target: '#failed',
                  actions: 'noteLinkFailure',
                },
                'ssh.identityAccepted': { actions: 'rememberAccepted' },
                'ssh.identityRefused': { actions: 'rememberRefused' },
              },
            },
            offering: {
              id: 'offering',
              description: 'The server is asked which identity it accepts; nothing is signed.',
              entry: 'offerIdentities',
              on: {
                'ssh.identityRefused': { actions: 'rememberRefused' },
                'ssh.identityAccepted': [
                  { guard: 'isStillOffered', target: 'challengeSent', actions: 'rememberAccepted' },
                  { target: 'discovering', actions: 'rememberAccepted' },
                ],
                'link.up': [
                  { guard: 'offersNothing', target: 'discovering', actions: 'rememberPhone' },
                  { actions: ['rememberPhone', 'offerIdentities'] },
                ],
              },
            },
            challengeSent,
            phoneAsleep,
            awaitingFaceId,
          },
        },
        queued,
        signed: {
          id: 'signed',
          description: 'The signature was handed to the server, which checks it.',
          entry: 'handOver',
          on: { 'ssh.authenticated': { target: 'connected' } },
          after: {
            verdictTimeout: { target: '#failed', actions: because('serverSilent') },
          },
        },
        connected: {
          description: 'Logged in. The phone is not needed any more.',
          on: {
            'ssh.closed': [
              { guard: 'endedByItself', target: '#disconnected', actions: 'noteExit' },
              { target: '#disconnected', actions: ['noteExit', because('serverClosed')] },
            ],
          },
        },
      },
    },
    denied: {
      id: 'denied',
      description: 'The person refused on the phone; no signature exists.',
      on: { 'user.reconnect': { target: 'session', actions: 'startAfresh' } },
    },
    timedOut: {
      id: 'timedOut',
      description: 'The clock ran out; `reason` says where it caught the flow.',
      on: { 'user.reconnect': { target: 'session', actions: 'startAfresh' } },
    },
    failed: {
      id: 'failed',
      description: 'It cannot go on; `reason` says why.',
      on: { 'user.reconnect': { target: 'session', actions: 'startAfresh' } },
    },
    disconnected: {
      id: 'disconnected',
      description: 'The session is over: the remote program ended, or the person cancelled.',
      on: { 'user.reconnect': { target: 'session', actions: 'startAfresh' } },
    },
  },
});
