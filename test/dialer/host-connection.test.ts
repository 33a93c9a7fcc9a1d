import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostConnection } from '../../src/dialer/host-connection.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import type { TcpFailure } from '../../src/netstack/tcp/tcp-events.ts';

const LOOPBACK = IpAddress.ipv4(0x7f00_0001);

let server: Server;
let port: number;
const accepted: Socket[] = [];

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    accepted.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});

afterEach(() => {
  for (const socket of accepted.splice(0)) socket.destroy();
  server.close();
});

/** A connection whose events can be waited for. */
function opened(to = port) {
  const seen = { readable: 0, writable: 0 };
  let tellConnected = () => {};
  let tellClosed: (failure: TcpFailure | undefined) => void = () => {};
  const connected = new Promise<void>((resolve) => {
    tellConnected = resolve;
  });
  const closed = new Promise<TcpFailure | undefined>((resolve) => {
    tellClosed = resolve;
  });
  const connection = new HostConnection(
    LOOPBACK,
    to,
    {
      connected: () => tellConnected(),
      readable: () => {
        seen.readable += 1;
      },
      writable: () => {
        seen.writable += 1;
      },
      closed: (failure) => tellClosed(failure),
    },
    { noDelay: true },
  );
  return { connection, connected, closed, seen };
}

async function peer(): Promise<Socket> {
  if (accepted.length === 0) await once(server, 'connection');
  const [socket] = accepted;
  if (socket === undefined) throw new Error('nobody has connected');
  return socket;
}

async function textOf(connection: HostConnection): Promise<string> {
  let text = '';
  while (!connection.ended) {
    for (let chunk = connection.read(); chunk !== undefined; chunk = connection.read())
      text += chunk;
    await new Promise(setImmediate);
  }
  return text;
}

describe('HostConnection', () => {
  test('carries bytes both ways, and each direction ends for itself', async () => {
    const { connection, connected, closed } = opened();
    await connected;
    expect(connection.local).toMatchObject({ port: expect.any(Number) });
    expect(`${connection.local.address}`).toBe('127.0.0.1');
    const other = await peer();
    connection.write(Buffer.from('there'));
    connection.shutdown();
    other.on('data', (chunk) => other.write(`${chunk} and back`));
    other.on('end', () => other.end());
    expect(await textOf(connection)).toBe('there and back');
    expect(await closed).toBeUndefined();
    expect(connection.write(Buffer.from('late'))).toBe(false);
  });

  test('says when there is room again', async () => {
    const { connection, connected, seen } = opened();
    await connected;
    const other = await peer();
    expect(connection.write(Buffer.alloc(8_000_000))).toBe(false);
    other.resume();
    while (seen.writable === 0) await new Promise(setImmediate);
    connection.abort();
  });

  test('nobody there', async () => {
    await once(server.close(), 'close');
    expect(await opened().closed).toBe('refused');
  });

  test('a reset by the peer', async () => {
    const { connected, closed } = opened();
    await connected;
    (await peer()).resetAndDestroy();
    expect(await closed).toBe('reset');
  });

  test('aborted, while it connects too', async () => {
    const connecting = opened();
    connecting.connection.abort();
    expect(await connecting.closed).toBe('aborted');
    const { connection, connected, closed } = opened();
    await connected;
    connection.abort();
    expect(await closed).toBe('aborted');
  });

  test('closed by its owner, it reads to the end what nobody wants', async () => {
    const { connection, connected, closed } = opened();
    await connected;
    const other = await peer();
    connection.close();
    other.end('more');
    expect(await closed).toBeUndefined();
  });
});
