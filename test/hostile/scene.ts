import { expect } from 'vitest';
import { backgroundClock, type Clock } from '../../src/core/clock.ts';
import { OvpnError, type OvpnErrorCode } from '../../src/core/errors.ts';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { PushOptions } from '../../src/model/push-options.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import type { VpnClientOptions } from '../../src/vpnclient/options.ts';
import { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { echoRequest } from '../embedded/icmp-echo.ts';
import {
  authority,
  clientIdentity,
  pingOnce,
  SERVER_NAME,
  staticKeyText,
} from '../embedded/site.ts';
import type { HostilePeer, PushScript } from './hostile-peer.ts';
import { HostileServer } from './hostile-server.ts';
import { CLIENT_ADDRESS, SERVER_ADDRESS } from './inner-packets.ts';
import { within } from './pace.ts';
import type { Watch } from './watch.ts';

/** Secrets that must never be seen. */
export const PASSWORD = 'canary-of-the-password';
export const TOKEN = 'SESS_ID_AT_canary-of-the-token';

export interface MeetOptions {
  readonly protocol?: 'udp' | 'tcp';
  readonly wrap?: 'none' | 'tls-crypt';
  /** Further lines of the client's profile. */
  readonly lines?: readonly string[];
  readonly push?: PushScript;
  /** Whether data packets have the epoch format. Default: false. */
  readonly epoch?: boolean;
  readonly client?: Partial<VpnClientOptions>;
}

/** A client and the server that it has met: their key exchange is done, the push may be. */
export interface Meeting {
  readonly client: VpnClient;
  readonly peer: HostilePeer;
  readonly server: HostileServer;
  /** What `start` came to. */
  readonly started: Promise<Error | undefined>;
  /** How often the client told that it is down. */
  readonly downs: readonly unknown[];
  readonly pushes: readonly PushOptions[];
  /** Key ids above 0 whose negotiation began. */
  readonly renegotiations: readonly number[];
  /** How often one of its timers went off. */
  readonly timers: { fired: number };
}

const PATIENCE_MS = 8_000;
const ECHO_MS = 600;
const ECHOES = 12;

/** One mode's stage: opens servers and clients, and clears them away. */
export class Scene {
  readonly watch: Watch;
  /** All errors that clients ended with. */
  readonly errors: Error[] = [];
  readonly #open: { close(): Promise<unknown> }[] = [];

  constructor(watch: Watch) {
    this.watch = watch;
  }

  /** A client that has begun to connect, once the server has its keys. */
  async meet(options: MeetOptions = {}): Promise<Meeting> {
    const { protocol = 'udp', wrap = 'none', lines = [], epoch = false } = options;
    const push = options.push ?? ((honest) => honest);
    const server = await HostileServer.open({ protocol, wrap, push, epoch });
    const timers = { fired: 0 };
    const renegotiations: number[] = [];
    const client = new VpnClient({
      profile: profileText(protocol, wrap, server.port, lines),
      credentials: { username: 'ada', password: PASSWORD },
      logger: this.watch.logger(),
      clock: counting(timers),
      tracer: listing(renegotiations),
      reconnect: false,
      ...options.client,
    });
    const downs: unknown[] = [];
    client.on('down', (event) => downs.push(event));
    const pushes: PushOptions[] = [];
    client.on('push', (push) => pushes.push(push));
    client.on('error', () => {});
    const met = server.nextPeer();
    const started = client.start().then(
      () => undefined,
      (error: Error) => error,
    );
    void client.ended.then((error) => error && this.errors.push(error));
    this.#open.push(client, server);
    const peer = await within(met, PATIENCE_MS);
    if (peer === 'too late') throw new Error('they have not met');
    return { client, peer, server, started, downs, pushes, renegotiations, timers };
  }

  /** A client whose tunnel is up, and read as a Duplex. */
  async up(options: MeetOptions = {}): Promise<Meeting> {
    const meeting = await this.meet(options);
    expect(await meeting.started).toBeUndefined();
    meeting.client.on('data', () => {});
    return meeting;
  }

  /** A client with a dialer on it. */
  async dialing(options: MeetOptions = {}): Promise<Meeting & { dialer: TunDialer<VpnClient> }> {
    const meeting = await this.meet(options);
    expect(await meeting.started).toBeUndefined();
    const dialer = TunDialer.over(meeting.client);
    this.#open.unshift(dialer);
    return { ...meeting, dialer };
  }

  async close(): Promise<void> {
    for (const opened of this.#open.splice(0)) await opened.close();
  }
}

/** The tunnel still carries packets, both ways. */
export async function expectAlive({ client, peer }: Meeting): Promise<void> {
  let replied = () => {};
  const reply = new Promise<true>((resolve) => {
    replied = () => resolve(true);
  });
  const sequence = 0x7a7a;
  const listen = (packet: Buffer) => {
    if (packet.length >= 28 && packet[9] === 1 && packet.readUInt16BE(26) === sequence) replied();
  };
  client.on('data', listen);
  let alive: true | 'too late' = 'too late';
  for (let count = 0; count < ECHOES && alive !== true; count += 1) {
    client.write(echoRequest(CLIENT_ADDRESS, SERVER_ADDRESS, sequence));
    alive = await within(reply, ECHO_MS);
  }
  client.off('data', listen);
  expect({ alive, state: client.state, peerOver: peer.over }).toEqual({
    alive: true,
    state: 'up',
    peerOver: false,
  });
}

/** The same where a dialer has the packets. */
export async function expectDialerAlive(dialer: TunDialer<VpnClient>): Promise<void> {
  for (let count = 1; ; count += 1) {
    const outcome = await pingOnce(dialer, SERVER_ADDRESS, ECHO_MS).catch((error: Error) => error);
    if (typeof outcome === 'number') return;
    if (count === ECHOES) throw outcome;
  }
}

/** The control channel still works: the server's wish for new keys comes true. */
export async function expectRekey({ client, peer }: Meeting): Promise<void> {
  const rekeyed = new Promise<true>((resolve) => client.once('rekey', () => resolve(true)));
  peer.renegotiate();
  expect(await within(rekeyed, PATIENCE_MS)).toBe(true);
}

/** The client has ended, once, with an error of ours. */
export async function expectEnded(
  { client, downs }: Meeting,
  codes: readonly OvpnErrorCode[],
  withinMs: number = PATIENCE_MS,
): Promise<OvpnError> {
  const error = await within(client.ended, withinMs);
  expect(error).toBeInstanceOf(OvpnError);
  if (!(error instanceof OvpnError)) throw new Error('expected a typed error');
  expect(codes).toContain(error.code);
  expect(downs).toHaveLength(1);
  return error;
}

function profileText(
  protocol: string,
  wrap: string,
  port: number,
  lines: readonly string[],
): string {
  const block = (name: string, text: string) => `<${name}>\n${text.trim()}\n</${name}>`;
  return [
    'client',
    'dev tun',
    `proto ${protocol}`,
    `remote 127.0.0.1 ${port}`,
    'remote-cert-tls server',
    `verify-x509-name ${SERVER_NAME} name`,
    'auth-user-pass',
    ...lines,
    block('ca', authority.certPem),
    block('cert', clientIdentity.certPem),
    block('key', clientIdentity.keyPem),
    ...(wrap === 'none' ? [] : [block('tls-crypt', staticKeyText)]),
    '',
  ].join('\n');
}

function counting(timers: { fired: number }): Clock {
  return {
    ...backgroundClock,
    setTimer: (at, callback) =>
      backgroundClock.setTimer(at, () => {
        timers.fired += 1;
        callback();
      }),
  };
}

/** Each negotiation passes S_START once. */
function listing(renegotiations: number[]): Tracer {
  return {
    stateChanged: (state, keyId) => {
      if (keyId > 0 && state === 'S_START') renegotiations.push(keyId);
    },
  };
}
