import { constants, type X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { OvpnTlsError, toError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { KEY2_BYTES } from '../model/data-channel-key.ts';
import type { Role } from '../model/ids.ts';
import type { ExporterLabel } from './exporter-label.ts';
import { chainOf } from './issuers.ts';
import { MAX_WAITING_BYTES, TlsBio } from './tls-bio.ts';
import { type TlsChoices, tlsChoiceOptions } from './tls-choices.ts';
import { tlsError } from './tls-errors.ts';
import { type PeerChecks, verifyPeer } from './verify-peer.ts';

/** Identity and rules of one end; fields as in `Profile`. */
export interface TlsIdentity extends TlsChoices {
  /** PEM. Undefined only for a client with `peerFingerprints`, or a server that asks for none. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: Secret | undefined;
  /** PEM: with it, every certificate of a chain needs a valid list of its issuer. */
  readonly crl: string | undefined;
  readonly checks: PeerChecks;
  /** Server: whether clients need a certificate. A client always asks for the server's. */
  readonly clientCertificate: 'required' | 'none';
}

/** What happened inside node:tls, in order. */
export type TlsEvent =
  /** The handshake is done and the peer's certificate accepted. */
  | { readonly kind: 'secure'; readonly peer: X509Certificate | undefined }
  /** Plaintext of one TLS record. */
  | { readonly kind: 'record'; readonly plaintext: Buffer }
  | { readonly kind: 'failed'; readonly error: OvpnTlsError };

/** Content type of a TLS record (RFC 8446 §5.1). */
const HANDSHAKE_RECORD = 22;

/**
 * One TLS session of node:tls over a {@link TlsBio}. What node:tls reports is queued, so that the
 * owner meets it in its own turn; `wake` tells that something waits. Nothing can be written before
 * the peer's certificate is accepted.
 */
export class TlsEngine {
  readonly #role: Role;
  readonly #identity: TlsIdentity;
  readonly #wake: () => void;
  readonly #bio: TlsBio;
  readonly #events: TlsEvent[] = [];
  readonly #writes: Buffer[] = [];
  #socket: tls.TLSSocket | undefined;
  #peer: X509Certificate | undefined;
  /** Whether the peer has said more than an alert. */
  #answered = false;
  #waitingPlaintext = 0;
  #writing = false;
  #secure = false;
  #ended = false;

  /** Starts the handshake. @throws OvpnTlsError when certificate or key cannot be used */
  constructor(role: Role, identity: TlsIdentity, wake: () => void) {
    this.#role = role;
    this.#identity = identity;
    this.#wake = wake;
    this.#bio = new TlsBio(wake);
    this.#bio.on('error', this.#onError);
    try {
      if (role === 'client') this.#connect();
      else this.#accept();
    } catch (thrown) {
      this.destroy();
      throw new OvpnTlsError(
        'OVPN_TLS_FAILED',
        'ca, cert, key or crl cannot be used: check that they are PEM, that cert and key belong together, and that tls-cert-profile allows for their keys and signatures',
        { layer: 'tlsstate', initiator: 'user', cause: toError(thrown) },
      );
    }
  }

  /** False while earlier input or its plaintext waits. */
  get acceptsInput(): boolean {
    return this.#ended || (this.#bio.acceptsInput && this.#waitingPlaintext < MAX_WAITING_BYTES);
  }

  /** Whether all that was written has been encrypted and taken. */
  get idle(): boolean {
    return !this.#writing && this.#writes.length === 0 && !this.#bio.hasOutput;
  }

  /** `TLSv1.2` or `TLSv1.3`, once the handshake is done. */
  get version(): string {
    return this.#socket?.getProtocol() ?? 'unknown';
  }

  /** Takes TLS bytes of the peer. Keeps `bytes`. */
  feed(bytes: Buffer): void {
    this.#answered ||= bytes[0] === HANDSHAKE_RECORD;
    this.#bio.feed(bytes);
  }

  /** At most `maxBytes` TLS bytes for the peer. */
  takeOutput(maxBytes: number): Buffer | undefined {
    return this.#bio.takeOutput(maxBytes);
  }

  takeEvent(): TlsEvent | undefined {
    const event = this.#events.shift();
    if (event?.kind === 'record') this.#waitingPlaintext -= event.plaintext.length;
    return event;
  }

  /** Sends `plaintext` as one TLS record of its own; overwrites it once it is encrypted. */
  write(plaintext: Buffer): void {
    if (!this.#secure) throw new Error('write before the peer was accepted');
    this.#writes.push(plaintext);
    this.#writeNext();
  }

  /** 256 bytes of key material, exported without a context. */
  exportKey(label: ExporterLabel): Buffer {
    if (!this.#secure || this.#socket === undefined) {
      throw new Error('export before the peer was accepted');
    }
    // Node's types want the context that must be absent here: in TLS 1.2 an empty one differs.
    const exporter = this.#socket as unknown as {
      exportKeyingMaterial(length: number, label: string): Buffer;
    };
    return exporter.exportKeyingMaterial(KEY2_BYTES, label);
  }

  /** Ends the session without a word; no event follows. May be called twice. */
  destroy(): void {
    this.#ended = true;
    this.#events.length = 0;
    for (const write of this.#writes.splice(0)) write.fill(0);
    this.#socket?.destroy();
    this.#bio.destroy();
  }

  #connect(): void {
    const { ca, checks } = this.#identity;
    const pinned = ca === undefined && checks.peerFingerprints.length > 0;
    const socket = tls.connect({
      ...this.#commonOptions(),
      socket: this.#bio,
      rejectUnauthorized: !pinned,
      checkServerIdentity: () => undefined,
    });
    // node:tls drops the certificate together with the connection, before its 'error'.
    socket.prependListener('secure', () => {
      this.#peer = socket.getPeerX509Certificate();
    });
    socket.on('secureConnect', () => this.#onSecure(socket));
    this.#attach(socket);
  }

  #accept(): void {
    const required = this.#identity.clientCertificate === 'required';
    const server = tls.createServer({
      ...this.#commonOptions(),
      requestCert: required,
      rejectUnauthorized: required,
    });
    server.on('secureConnection', (socket) => {
      this.#peer = socket.getPeerX509Certificate();
      this.#attach(socket);
      this.#onSecure(socket);
    });
    server.on('tlsClientError', (error, socket) => {
      const verdict: unknown = socket.authorizationError;
      if (typeof verdict === 'string') this.#fail(error, verdict);
      else this.#onError(error);
    });
    server.emit('connection', this.#bio);
  }

  #commonOptions(): tls.SecureContextOptions {
    const { ca, cert, key, crl } = this.#identity;
    return {
      // An empty list, not the absent one: that would be the system's authorities.
      ca: ca ?? [],
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key: key.reveal() }),
      ...(crl !== undefined && { crl }),
      ...tlsChoiceOptions(this.#identity, tls.DEFAULT_CIPHERS),
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
    };
  }

  #attach(socket: tls.TLSSocket): void {
    this.#socket = socket;
    socket.on('error', this.#onError);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
  }

  #onSecure(socket: tls.TLSSocket): void {
    if (this.#ended) return;
    if (this.#peer === undefined && this.#needsPeer) {
      this.#refuse(
        new OvpnTlsError('OVPN_CERT_MISSING', 'expected a certificate of the peer, got none', {
          layer: 'tlsstate',
        }),
      );
      return;
    }
    const refusal = this.#peer && this.#judge(this.#peer);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return;
    }
    this.#secure = true;
    this.#queue({ kind: 'secure', peer: this.#peer });
    socket.on('data', (plaintext: Buffer) => {
      if (this.#ended) return;
      this.#waitingPlaintext += plaintext.length;
      this.#queue({ kind: 'record', plaintext });
    });
  }

  #judge(peer: X509Certificate): OvpnTlsError | undefined {
    const { ca, checks } = this.#identity;
    return verifyPeer(peer.raw, checks, () => chainOf(peer, ca));
  }

  get #needsPeer(): boolean {
    return this.#role === 'client' || this.#identity.clientCertificate === 'required';
  }

  /** One write at a time: node:tls would join waiting ones into one record. */
  #writeNext(): void {
    if (this.#writing || this.#ended) return;
    const plaintext = this.#writes.shift();
    if (plaintext === undefined) return;
    this.#writing = true;
    this.#socket?.write(plaintext, () => {
      plaintext.fill(0);
      this.#writing = false;
      this.#writeNext();
    });
  }

  readonly #onError = (error: Error): void => {
    this.#fail(error, (error as NodeJS.ErrnoException).code);
  };

  readonly #onEnd = (): void => {
    this.#fail(new Error('the peer closed the TLS session'), undefined);
  };

  #fail(error: Error, code: string | undefined): void {
    if (this.#ended) return;
    const [role, answered, peer] = [this.#role, this.#answered, this.#peer];
    this.#refuse(tlsError({ role, error, code, peer, answered, now: new Date() }));
  }

  /** The last event: what came before it is still delivered. */
  #refuse(error: OvpnTlsError): void {
    const earlier = [...this.#events];
    this.destroy();
    this.#events.push(...earlier, { kind: 'failed', error });
    this.#wake();
  }

  #queue(event: TlsEvent): void {
    this.#events.push(event);
    this.#wake();
  }
}
