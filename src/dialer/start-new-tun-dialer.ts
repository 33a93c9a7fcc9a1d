import type { VpnClientOptions } from '../vpnclient/options.ts';
import { VpnClient } from '../vpnclient/vpn-client.ts';
import { TunDialer, type TunDialerOptions } from './tun-dialer.ts';

/** What `startNewTunDialer` takes beside the client's options. */
export interface StartOptions extends TunDialerOptions {
  /** See `VpnClientOptions.transport`. */
  readonly transport?: VpnClientOptions['transport'];
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects a `VpnClient` and gives a dialer that stands on it; closing the dialer closes the client.
 *
 * @throws what `VpnClient.start` throws: nothing is left running then
 */
export async function startNewTunDialer(
  options: VpnClientOptions,
  { transport, signal, ...dialerOptions }: StartOptions = {},
): Promise<TunDialer<VpnClient>> {
  const client = new VpnClient(transport === undefined ? options : { ...options, transport });
  await client.start(signal === undefined ? {} : { signal });
  try {
    return TunDialer.over(client, dialerOptions);
  } catch (error) {
    await client.close();
    throw error;
  }
}
