import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { TunConnectOptions } from './tun-socket-options.ts';

/** Opens a socket inside the tunnel: `TunDialer.connect`. */
export type OpenSocket = (options: TunConnectOptions) => Duplex;

type CreateConnectionCallback = (error: Error | null, stream: Duplex) => void;

/** `http.Agent` whose connections go through a tunnel, and whose names are resolved there. */
export class TunHttpAgent extends http.Agent {
  readonly #open: OpenSocket;

  constructor(open: OpenSocket, options?: http.AgentOptions) {
    super(options);
    this.#open = open;
  }

  override createConnection(options: http.ClientRequestArgs): Duplex {
    return this.#open(socketOptions(options));
  }
}

/** `https.Agent` whose connections go through a tunnel, and whose names are resolved there. */
export class TunHttpsAgent extends https.Agent {
  readonly #open: OpenSocket;

  constructor(open: OpenSocket, options?: https.AgentOptions) {
    super(options);
    this.#open = open;
  }

  override createConnection(
    options: https.RequestOptions,
    callback?: CreateConnectionCallback,
  ): Duplex | null | undefined {
    const socket = this.#open(socketOptions(options));
    return super.createConnection({ ...options, ...{ socket } }, callback);
  }
}

function socketOptions(options: http.ClientRequestArgs): TunConnectOptions {
  const { host, hostname, port, family, localAddress, localPort } = options;
  return {
    host: hostname ?? host ?? 'localhost',
    port: Number(port ?? options.defaultPort),
    family: family === 4 || family === 6 ? family : 0,
    localAddress,
    localPort,
    noDelay: true,
  };
}
