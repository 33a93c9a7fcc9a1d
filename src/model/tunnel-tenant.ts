import type { Service } from '../core/pump.ts';
import type { TunnelInfo } from './tunnel-info.ts';

/**
 * What stands on a tunnel: a service that outlives the tunnel's sessions. It runs on the pump of the
 * session that is up, else on one of its own, on which nothing can be read or written.
 */
export interface TunnelTenant extends Service {
  /** A session has ended because of `cause`, and nothing that stood on it may live on. */
  interrupted?(cause: Error): void;
  /** The tunnel is as `info` says: a session is up again, or the server has changed the one that is. */
  renewed?(info: TunnelInfo): void;
}
