/**
 * tundial: OpenVPN in one Node.js process. Start with `startNewTunDialer`.
 *
 * @packageDocumentation
 */

export { readProfile } from './config/read-profile.ts';
export { parseStaticKey } from './config/static-key.ts';
export { parseTlsCryptV2ServerKey } from './config/tls-crypt-v2-key.ts';
export type { Clock } from './core/clock.ts';
export {
  type ConfigProblem,
  type Initiator,
  OvpnAuthError,
  OvpnConfigError,
  OvpnError,
  type OvpnErrorCode,
  OvpnNetworkError,
  OvpnPeerError,
  OvpnProtocolError,
  OvpnTimeoutError,
  OvpnTlsError,
  OvpnUsageError,
} from './core/errors.ts';
export type { Logger, LogLevel } from './core/log.ts';
export type { Drop, Millis } from './core/machine.ts';
export { DROP_NAMES } from './core/machine.ts';
export type { Service } from './core/pump.ts';
export type { RandomSource } from './core/random.ts';
export { Secret } from './core/secret.ts';
export { VERSION } from './core/version.ts';
export type {
  CbcKeys,
  CbcOpener,
  CbcSealer,
  CipherProvider,
  Filling,
  Opened,
  Opener,
  Sealer,
} from './datachannel/cipher-provider.ts';
export { nodeProvider } from './datachannel/node-provider.ts';
export { type WebCrypto, webCryptoProvider } from './datachannel/webcrypto-provider.ts';
export type { DialOptions } from './dialer/dial.ts';
export type { DialNetwork } from './dialer/dial-target.ts';
export { DnsError, type DnsErrorCode } from './dialer/dns-error.ts';
export type { LookupAddress } from './dialer/dns-lookup.ts';
export type {
  LookupCallback,
  TunLookup,
  TunLookupOptions,
} from './dialer/dns-lookup-function.ts';
export type { DnsOptions } from './dialer/dns-options.ts';
export type { CaaProperty, DnsRecord, DnsType, DnsValues } from './dialer/dns-record.ts';
export type {
  AddressWithTtl,
  DnsResolver,
  LookupOptions,
  ResolveOptions,
} from './dialer/dns-resolver.ts';
export type { DnsReply } from './dialer/dns-search.ts';
export type { TunHttpAgent, TunHttpsAgent } from './dialer/http-agent.ts';
export type { TunListenOptions } from './dialer/listen-arguments.ts';
export type { PathMtu, PathMtuOptions } from './dialer/path-mtu-search.ts';
export type { PingOptions, PingReply } from './dialer/ping.ts';
export type { ProbeMethod } from './dialer/probing.ts';
export type { RoutingOptions } from './dialer/routing-policy.ts';
export { SocketError, type SocketErrorCode } from './dialer/socket-error.ts';
export { type StartOptions, startNewTunDialer } from './dialer/start-new-tun-dialer.ts';
export type { TracerouteHop, TracerouteOptions, TracerouteProbe } from './dialer/traceroute.ts';
export { TunDialer, type TunDialerOptions } from './dialer/tun-dialer.ts';
export type { TunServer, TunServerOptions } from './dialer/tun-server.ts';
export type { TunSocket } from './dialer/tun-socket.ts';
export type { TunConnectOptions, TunSocketOptions } from './dialer/tun-socket-options.ts';
export type { TunUdpSocket, TunUdpSocketOptions } from './dialer/tun-udp-socket.ts';
export type { TunnelEnd } from './dialer/tunnel-end.ts';
export type { DispatcherOptions } from './dialer/undici-dispatcher.ts';
export type { DataCipher } from './model/ciphers.ts';
export type { ControlWrapOptions, ServerWrapOptions } from './model/control-wrap-options.ts';
export type {
  ChallengeAnswer,
  Credentials,
  CredentialsAnswer,
  CredentialsRequest,
  UserPassword,
  WebSignIn,
  WebSignInProxy,
} from './model/credentials.ts';
export type { Digest } from './model/digests.ts';
export type { NameServer, NameTransport } from './model/name-server.ts';
export type { NegotiationState } from './model/negotiation-state.ts';
export { Opcode, opcodeName } from './model/opcode.ts';
export type { ControlPacket } from './model/packet.ts';
export type { IgnoredDirective, Profile, Remote, X509NameCheck } from './model/profile.ts';
export type { PushOptions, Redirect, Route, Subnet } from './model/push-options.ts';
export type { TracedLink, Tracer } from './model/tracer.ts';
export type { TunDevice } from './model/tun-device.ts';
export type { TunnelInfo, TunnelRoutes } from './model/tunnel-info.ts';
export type { NetstackStats } from './netstack/netstack.ts';
export type { TcpInfo } from './netstack/tcp/tcp-info.ts';
export type { DatagramPipe } from './networkio/datagram-link.ts';
export type { Transport } from './networkio/transport.ts';
export type { PeerInfo } from './server/peer-table.ts';
export {
  type Authority,
  createAuthority,
  createStaticKeyText,
  type Issued,
  type IssueOptions,
} from './server/pki.ts';
export type { VpnServerOptions } from './server/server-options.ts';
export {
  createThrowAwayServer,
  type ThrowAwayOptions,
  type ThrowAwayServer,
} from './server/throw-away-server.ts';
export type { WrapKind } from './server/throw-away-wrap.ts';
export {
  createTlsCryptV2ClientKeyText,
  createTlsCryptV2ServerKey,
  tlsCryptV2ServerKeyText,
} from './server/tls-crypt-v2-keys.ts';
export { VpnServer, type VpnServerEvents } from './server/vpn-server.ts';
export type {
  AcceptedSignIn,
  AuthenticationRequest,
  AuthenticationVerdict,
  PendingSignIn,
  RefusedSignIn,
  SignInChallenge,
} from './tlsstate/handshake-step.ts';
export { IvProto } from './tlsstate/peer-info.ts';
export type { ServerQuestion } from './tlsstate/server-question.ts';
export { HandshakeTrace, type TraceEvent, type TracePacket } from './trace/handshake-trace.ts';
export { joinTracers } from './trace/join-tracers.ts';
export { PcapngTrace, type PcapngTraceOptions } from './trace/pcapng-trace.ts';
export type {
  ChallengeEvent,
  ClientState,
  DownEvent,
  EchoEvent,
  ReconnectingEvent,
  RekeyEvent,
  StateEvent,
  VpnClientEvents,
} from './vpnclient/events.ts';
export type { OpenTransport, VpnClientOptions } from './vpnclient/options.ts';
export type { RaceSettings } from './vpnclient/race.ts';
export { type ScrambleOptions, scramble } from './vpnclient/scramble.ts';
export type { ClientStats } from './vpnclient/stats.ts';
export { VpnClient } from './vpnclient/vpn-client.ts';
