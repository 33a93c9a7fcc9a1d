import { closeSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { TunDevice } from '../../src/model/tun-device.ts';
import { type NetworkSpace, withFile } from './network-space.ts';

/** `linux/if_tun.h`: the request, and a layer 3 device without a header in front of packets. */
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
/** `struct ifreq`: a name of 16 bytes, and flags. */
const IFREQ_BYTES = 40;
const IFREQ_FLAGS_AT = 16;
/** `sched.h` */
const CLONE_NEWNET = 0x4000_0000;

/** Packets that wait here before the kernel has to keep them. */
const INBOX_PACKETS = 1024;
/** Packets that the kernel keeps: more than a window, so that only the line loses. */
const KERNEL_QUEUE_PACKETS = 20_000;

/** What is called when packets pass, in either direction. */
export type Tap = (packet: Buffer, from: 'kernel' | 'us') => void;

export interface KernelTunOptions {
  /** Default: tun0. */
  readonly name?: string;
  /** Default: 1500. */
  readonly mtu?: number;
  /** The kernel's own, with their prefixes. */
  readonly addresses?: readonly string[];
  readonly tap?: Tap;
}

/** A TUN device of the kernel in a network namespace: what is written here arrives there. */
export class KernelTun implements TunDevice {
  readonly mtu: number;
  readonly #fd: number;
  readonly #stream: Socket;
  readonly #tap: Tap | undefined;
  onReadable: () => void = () => {};
  onWritable: () => void = () => {};
  /** What the kernel did not take: the device is down. */
  refused = 0;
  #inbox: Buffer[] = [];
  #next = 0;
  #closed = false;

  private constructor(fd: number, mtu: number, tap: Tap | undefined) {
    this.#fd = fd;
    this.mtu = mtu;
    this.#tap = tap;
    this.#stream = readerOf(fd);
    this.#stream.on('data', (packet: Buffer) => this.#arrived(packet));
    // The device is gone with its namespace.
    this.#stream.on('error', () => this.close());
  }

  /** Makes the device in `space` and brings it up. */
  static async open(
    space: NetworkSpace,
    { name = 'tun0', mtu = 1500, addresses = [], tap }: KernelTunOptions,
  ): Promise<KernelTun> {
    const fd = await openInside(space, name);
    space.run(['sysctl', '-q', '-w', `net.ipv6.conf.${name}.addr_gen_mode=1`]);
    const queue = ['txqueuelen', `${KERNEL_QUEUE_PACKETS}`];
    space.run(['ip', 'link', 'set', name, 'mtu', `${mtu}`, ...queue, 'up']);
    for (const address of addresses) {
      const noDad = address.includes(':') ? ['nodad'] : [];
      space.run(['ip', 'address', 'add', address, 'dev', name, ...noDad]);
    }
    return new KernelTun(fd, mtu, tap);
  }

  get writable(): boolean {
    return !this.#closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  read(): Buffer | undefined {
    const packet = this.#inbox[this.#next];
    if (packet === undefined) return undefined;
    this.#next += 1;
    if (this.#next === this.#inbox.length) {
      this.#inbox = [];
      this.#next = 0;
      if (this.#stream.isPaused()) this.#stream.resume();
    }
    return packet;
  }

  /** The kernel takes the packet in before this returns. */
  write(packet: Buffer): boolean {
    if (this.#closed) return false;
    this.#tap?.(packet, 'us');
    try {
      writeSync(this.#fd, packet);
    } catch {
      this.refused += 1;
    }
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.destroy();
  }

  #arrived(packet: Buffer): void {
    this.#tap?.(packet, 'kernel');
    this.#inbox.push(packet);
    const waiting = this.#inbox.length - this.#next;
    if (waiting === 1) this.onReadable();
    else if (waiting >= INBOX_PACKETS) this.#stream.pause();
  }
}

/** The functions of the C library that Node does not have. */
async function libc() {
  const { default: koffi } = await import('koffi');
  const library = koffi.load('libc.so.6');
  const setns = library.func('int setns(int fd, int nstype)');
  const ioctl = library.func('int ioctl(int fd, unsigned long request, ...)');
  const check = (what: string, result: unknown) => {
    if (result !== 0) throw new Error(`${what}: errno ${koffi.errno()}`);
  };
  return {
    enter: (fd: number) => check('setns', setns(fd, CLONE_NEWNET)),
    setInterface: (fd: number, request: Buffer) =>
      check('TUNSETIFF', ioctl(fd, TUNSETIFF, 'void *', request)),
  };
}

/**
 * Opens the device. It belongs to the namespace in which its thread is at that moment; nothing
 * else runs between the way in and the way back.
 */
async function openInside(space: NetworkSpace, name: string): Promise<number> {
  const { enter, setInterface } = await libc();
  return withFile('/proc/thread-self/ns/net', (home) =>
    withFile(space.file, (there) => {
      enter(there);
      try {
        const fd = openSync('/dev/net/tun', 'r+');
        try {
          setInterface(fd, interfaceRequest(name));
          return fd;
        } catch (error) {
          closeSync(fd);
          throw error;
        }
      } finally {
        enter(home);
      }
    }),
  );
}

function interfaceRequest(name: string): Buffer {
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, 'latin1');
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, IFREQ_FLAGS_AT);
  return request;
}

interface PipeWrap {
  readonly Pipe: new (type: number) => { open(fd: number): void };
  readonly constants: { readonly SOCKET: number };
}

/**
 * A stream over `fd` of which each chunk is one packet. `net.Socket` refuses the descriptor of a
 * character device, libuv's pipe handle does not, and reads it when there is something.
 */
function readerOf(fd: number): Socket {
  const binding = process as unknown as { binding(name: 'pipe_wrap'): PipeWrap };
  const { Pipe, constants } = binding.binding('pipe_wrap');
  const handle = new Pipe(constants.SOCKET);
  handle.open(fd);
  const options = { handle, readable: true, writable: false, allowHalfOpen: true };
  return new Socket(options as object);
}
