import { OvpnProtocolError } from '../core/errors.ts';
import type { NameTransport } from '../model/name-server.ts';
import type { ClientNat } from '../model/profile.ts';
import type { CompressionFraming, PushOptions, Subnet } from '../model/push-options.ts';

/** One word list of a push: the option's name and its arguments. */
export type PushReader = (draft: PushDraft, args: readonly string[]) => void;

/** Readers of one group of pushed options, by name. */
export type PushReaders = readonly (readonly [name: string, read: PushReader])[];

/** A pushed `dns server`, gathered from several options. */
export interface DnsServerDraft {
  readonly places: { readonly address: string; readonly port: number | undefined }[];
  transport: NameTransport;
  sni: string | undefined;
  readonly resolveDomains: string[];
  readonly excludeDomains: string[];
  /** The option for which it cannot be asked, or undefined. */
  unusable: string | undefined;
}

/** A push while it is read. */
export class PushDraft {
  /** The option that is being read, as people may see it. */
  shown = '';
  /** The last `ifconfig`: its meaning depends on the topology, which may come later. */
  ifconfig: { readonly args: readonly string[]; readonly shown: string } | undefined;
  ipv6: (Subnet & { readonly peer: string | undefined }) | undefined;
  topology: PushOptions['topology'] = 'net30';
  routeGateway: string | undefined;
  readonly routes: PushOptions['routes'][number][] = [];
  /** The last one that redirects at all; the flags of all. */
  redirect: { everything: boolean; readonly flags: Set<string> } | undefined;
  blockIpv4 = false;
  blockIpv6 = false;
  readonly clientNat: ClientNat[] = [];
  readonly echoes: string[] = [];
  /** From `dhcp-option`. */
  readonly dhcpServers: string[] = [];
  readonly dhcpDomains: string[] = [];
  /** From `dns`, by priority; they take the place of `dhcp-option`. */
  readonly dnsServers: Map<number, DnsServerDraft> = new Map();
  dnsDomains: readonly string[] | undefined;
  tunMtu: number | undefined;
  peerId: number | undefined;
  cipher: string | undefined;
  tlsEkm = false;
  ccExit = false;
  dynTlsCrypt = false;
  aeadEpoch = false;
  compression: CompressionFraming | undefined;
  pingMs: number | undefined;
  pingRestartMs: number | undefined;
  pingExitMs: number | undefined;
  inactiveMs: number | undefined;
  inactiveBytes: number | undefined;
  sessionTimeoutMs: number | undefined;
  explicitExitNotify: number | undefined;
  authToken: string | undefined;
  authTokenUser: string | undefined;
  readonly ignored: { readonly option: string; readonly reason: string }[] = [];

  /** The option that is being read has no effect. */
  ignore(reason: string): void {
    this.ignored.push(Object.freeze({ option: this.shown, reason }));
  }

  /** Ends the session: without this option the tunnel cannot work. */
  reject(expected: string): never {
    throw pushError(`${expected}: the server pushed ${this.shown}`);
  }
}

/** A push that cannot be used. */
export function pushError(message: string): OvpnProtocolError {
  return new OvpnProtocolError(message, {
    code: 'OVPN_PUSH_INVALID',
    layer: 'config',
    reference: 'push.c, options.c',
  });
}
