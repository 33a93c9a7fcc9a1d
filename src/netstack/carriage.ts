import { HOP_LIMIT } from './ip-header.ts';

/** How a packet is to travel. */
export interface Carriage {
  /** Routers that it may pass, and one: 1 … 255. */
  readonly hopLimit: number;
  /** Whether routers, and we, may cut it; over IPv6 routers never do. */
  readonly fragments: 'allowed' | 'forbidden';
}

/** What is asked for when nothing else is. */
export const ORDINARY: Carriage = { hopLimit: HOP_LIMIT, fragments: 'allowed' };
