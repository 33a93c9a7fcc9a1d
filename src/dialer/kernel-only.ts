/** What `dgram.Socket` can do only because a kernel stands behind it. */
export const KERNEL_ONLY_METHODS: readonly string[] = [
  'addMembership',
  'addSourceSpecificMembership',
  'dropMembership',
  'dropSourceSpecificMembership',
  'setBroadcast',
  'setMulticastInterface',
  'setMulticastLoopback',
  'setMulticastTTL',
];

/** Gives `prototype` a method for each of {@link KERNEL_ONLY_METHODS} that says what is wrong. */
export function refuseKernelOnly(prototype: object): void {
  for (const name of KERNEL_ONLY_METHODS) {
    const value = () => {
      const error = new Error(`${name} is not available inside a tunnel`);
      throw Object.assign(error, { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
    };
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}
