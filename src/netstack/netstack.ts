import { Channel } from '../core/channel.ts';
import type { Clock } from '../core/clock.ts';
import { Drop, DropCounter, type Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { TunDevice } from '../model/tun-device.ts';
import { type EchoClient, EchoClients, type EchoEvents } from './echo.ts';
import { IcmpInput } from './icmp-input.ts';
import type { IpAddress } from './ip-address.ts';
import { IpHeader, IpProtocol } from './ip-header.ts';
import { IpInput, type Origin } from './ip-input.ts';
import { IpOutput } from './ip-output.ts';
import { LocalAddresses } from './local-addresses.ts';
import { NetstackError } from './netstack-error.ts';
import type { NetstackOptions, NetstackSettings, NetstackStats } from './netstack-options.ts';
import { Responder } from './responder.ts';
import { type PacketSource, RoundRobin } from './round-robin.ts';
import type { TcpConnection } from './tcp/connection.ts';
import type { TcpEvents } from './tcp/tcp-events.ts';
import type { OnTcpConnection, TcpListening, TcpListenOptions } from './tcp-listening.ts';
import { type TcpConnectOptions, TcpTable } from './tcp-table.ts';
import type { UdpEndpoint, UdpEvents, UdpOptions } from './udp-endpoint.ts';
import { UdpTable } from './udp-table.ts';

export type { NetstackOptions, NetstackSettings, NetstackStats } from './netstack-options.ts';

/**
 * An IPv4 and IPv6 host on a {@link TunDevice}: TCP, UDP and ping for programs of this process.
 *
 *     tun.read ─┐                       ┌─ TcpTable ─▶ TcpConnection
 *               ├─▶ IpInput ─ protocol ─┼─ UdpTable ─▶ UdpEndpoint
 *     loopback ─┘                       └─ IcmpInput ▶ EchoClient, Responder
 *
 *     tun.write ◀─┬─ RoundRobin ◀─ whoever has packets
 *     loopback  ◀─┘
 *
 * Nothing is lost on the way down: a packet is taken from its source when there is room for it.
 */
export class Netstack implements Service {
  readonly name = 'netstack';
  readonly #tun: TunDevice;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #addresses: LocalAddresses;
  readonly #input: IpInput;
  readonly #output: IpOutput;
  readonly #header = new IpHeader();
  readonly #icmp: IcmpInput;
  readonly #tcp: TcpTable;
  readonly #udp: UdpTable;
  readonly #echo: EchoClients;
  readonly #responder: Responder;
  readonly #senders = new RoundRobin();
  readonly #loopback: Channel<Buffer> = new Channel('loopback', LOOPBACK_PACKETS);
  readonly #drops = new DropCounter();
  #packetsIn = 0;
  #packetsOut = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #stopped = false;

  /** @throws OvpnUsageError for an address that is none */
  constructor(options: NetstackOptions) {
    const { tun, random, clock } = options;
    const addresses = new LocalAddresses(options.ipv4, options.ipv6, options.reaches);
    const wakeSource = (source: PacketSource) => this.#wakeSource(source);
    const mssLimit4 = options.mssLimit4 ?? Number.POSITIVE_INFINITY;
    const mssLimit6 = options.mssLimit6 ?? Number.POSITIVE_INFINITY;
    const { tcp = {} } = options;
    const tcpOptions = { random, mtu: tun.mtu, mssLimit4, mssLimit6, wakeSource, tcp };
    const tcpTable = new TcpTable(tcpOptions, addresses);
    const { pathMtus } = tcpTable.flows;
    const mtuTo = (destination: IpAddress) =>
      pathMtus.size === 0 ? tun.mtu : pathMtus.mtuTo(destination, clock.now());
    const output = new IpOutput(tun.mtu, random, mtuTo);
    const removeUdp = (endpoint: UdpEndpoint) => this.#udp.remove(endpoint);
    this.#tun = tun;
    this.#clock = clock;
    this.#wake = options.wake;
    this.#addresses = addresses;
    this.#output = output;
    this.#responder = new Responder(output, wakeSource);
    this.#input = new IpInput(addresses, this.#responder);
    this.#tcp = tcpTable;
    this.#udp = new UdpTable({ output, addresses, pathMtus, wakeSource, removeUdp }, random);
    this.#echo = new EchoClients(random, this.#responder.send);
    this.#icmp = new IcmpInput({
      tcp: this.#tcp,
      udp: this.#udp,
      echo: this.#echo,
      responder: this.#responder,
    });
    tun.onReadable = options.wake;
    tun.onWritable = options.wake;
  }

  /** Largest IP packet of the tunnel. Unit: bytes. */
  get mtu(): number {
    return this.#tun.mtu;
  }

  get ipv4(): IpAddress | undefined {
    return this.#addresses.ipv4;
  }

  get ipv6(): IpAddress | undefined {
    return this.#addresses.ipv6;
  }

  /**
   * The tunnel has changed: all of `settings` holds from now on, with the tun's MTU. Flows, listeners
   * and endpoints that are bound to an address that went away end with `address-gone`; all others
   * live on.
   *
   * @throws OvpnUsageError for an address that is none: nothing has changed then
   */
  configure(settings: NetstackSettings): void {
    const { mtu } = this.#tun;
    this.#addresses.use(settings.ipv4, settings.ipv6, settings.reaches);
    this.#output.mtu = mtu;
    this.#tcp.configure({ ...settings, mtu }, this.#clock.now());
    this.#udp.followAddresses();
    this.#echo.followAddresses((remote) => this.#addresses.sourceFor(remote));
    this.#wake();
  }

  /** tun, loopback → sockets */
  moveUpWorker(now: Millis): boolean {
    let moved = 0;
    for (; moved < BATCH; moved += 1) {
      // In turn, so that neither starves the other.
      let own = (moved & 1) === 0 ? this.#loopback.take() : undefined;
      const other = own === undefined ? this.#tun.read() : undefined;
      if (other === undefined) own ??= this.#loopback.take();
      const packet = own ?? other;
      if (packet === undefined) break;
      this.#packetsIn += 1;
      this.#bytesIn += packet.length;
      this.#drops.count(this.#fromBelow(packet, own === undefined ? 'tunnel' : 'loopback', now));
    }
    return moved > 0;
  }

  endOfBurst(now: Millis): void {
    this.#tcp.flows.endOfBurst(now);
  }

  /** sockets → tun, loopback */
  moveDownWorker(now: Millis): boolean {
    let moved = 0;
    for (; moved < BATCH && this.#tun.writable && !this.#loopback.full; moved += 1) {
      const packet = this.#senders.take(now);
      if (packet === undefined) break;
      this.#packetsOut += 1;
      this.#bytesOut += packet.length;
      if (this.#addresses.receives(packet)) this.#loopback.push(packet);
      else this.#tun.write(packet);
    }
    return moved > 0;
  }

  nextTimeout(): Millis {
    return Math.min(this.#tcp.flows.nextTimeout(), this.#input.reassembly.nextTimeout());
  }

  onTimeout(now: Millis): void {
    this.#tcp.flows.onTimeout(now);
    this.#input.reassembly.onTimeout(now);
  }

  /** Ends every connection, UDP endpoint and ping, as `stop` does; listeners live on, new ones may follow. */
  interrupt(): void {
    this.#tcp.flows.stop();
    this.#endOthers();
  }

  /** Packets get through again, after a while in which none did. */
  resume(now: Millis): void {
    this.#tcp.flows.resume(now);
  }

  /** Ends every socket: TCP hears `network-unreachable`, UDP `network-down`; pings hear no more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#tcp.stop();
    this.#loopback.close();
    this.#endOthers();
  }

  #endOthers(): void {
    this.#udp.stop();
    this.#echo.clear();
    this.#senders.clear();
    while (this.#loopback.take() !== undefined);
    this.#input.reassembly.clear();
  }

  /**
   * Opens a TCP connection; `events` hears what becomes of it.
   *
   * @throws NetstackError `ENETUNREACH` without an address of the family, `EADDRNOTAVAIL` for
   *   a local address that is not ours, `EADDRINUSE` for a taken port or when none is free,
   *   `ENOBUFS` with too many flows, `ENETDOWN` after `stop`
   */
  connectTcp(
    remote: IpAddress,
    port: number,
    events: TcpEvents,
    options: TcpConnectOptions = {},
  ): TcpConnection {
    this.#checkRunning('connect');
    return this.#tcp.connect(remote, port, events, options, this.#clock.now());
  }

  /** Accepts TCP connections. @throws NetstackError as {@link Netstack.connectTcp} */
  listenTcp(options: TcpListenOptions, onConnection: OnTcpConnection): TcpListening {
    this.#checkRunning('listen');
    return this.#tcp.listen(options, onConnection);
  }

  /** Binds a UDP port, and connects it where asked. @throws NetstackError as {@link Netstack.connectTcp} */
  openUdp(options: UdpOptions, events: UdpEvents): UdpEndpoint {
    this.#checkRunning('bind');
    return this.#udp.open(options, events);
  }

  /** Begins to ping `remote`. @throws NetstackError `ENETUNREACH`, `ENOBUFS` or `ENETDOWN` */
  openEcho(remote: IpAddress, events: EchoEvents): EchoClient {
    this.#checkRunning('connect');
    const local = this.#addresses.sourceFor(remote);
    if (local === undefined) throw new NetstackError('ENETUNREACH', 'connect', `${remote}`);
    return this.#echo.open(remote, local, events);
  }

  /** The address from which `remote` would be spoken to; undefined without one of its family. */
  localAddressFor(remote: IpAddress): IpAddress | undefined {
    return this.#addresses.sourceFor(remote);
  }

  stats(): NetstackStats {
    return {
      packetsIn: this.#packetsIn,
      packetsOut: this.#packetsOut,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      tcpFlows: this.#tcp.flows.size,
      udpEndpoints: this.#udp.size,
      drops: this.#drops.snapshot(),
    };
  }

  #fromBelow(packet: Buffer, origin: Origin, now: Millis): Drop {
    const header = this.#header;
    const whole = this.#input.take(packet, origin, header, now);
    if (typeof whole === 'number') return whole;
    switch (header.protocol) {
      case IpProtocol.TCP: {
        const drop = this.#tcp.fromBelow(whole, header, now);
        return drop === Drop.NO_SOCKET ? this.#responder.reset(whole, header, now) : drop;
      }
      case IpProtocol.UDP: {
        const drop = this.#udp.fromBelow(whole, header);
        if (drop !== Drop.NO_SOCKET) return drop;
        return this.#responder.refuse('port-unreachable', whole, header, now);
      }
      case header.family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6:
        return this.#icmp.fromBelow(whole, header, now);
      case IpProtocol.NO_NEXT_HEADER:
        return Drop.NO_SOCKET;
      default:
        return this.#responder.refuse('protocol-unreachable', whole, header, now);
    }
  }

  #wakeSource(source: PacketSource): void {
    if (this.#stopped) return;
    this.#senders.wake(source);
    this.#wake();
  }

  #checkRunning(syscall: string): void {
    if (this.#stopped) throw new NetstackError('ENETDOWN', syscall, 'the tunnel has ended');
  }
}

/** Packets of ours to ourselves that wait for the next round. */
const LOOPBACK_PACKETS = 256;
