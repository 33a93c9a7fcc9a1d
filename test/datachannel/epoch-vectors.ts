/** The part of `vectors.json` that is about epochs. */
export interface EpochVectors {
  readonly epoch: {
    readonly label_test: {
      readonly secret: string;
      readonly label: string;
      readonly length: number;
      readonly output: string;
    };
    readonly derive_test: {
      readonly epoch_key: string;
      readonly data_key_24: string;
      readonly data_iv_12: string;
    };
    readonly packets: readonly EpochPacketVector[];
  };
}

export interface EpochPacketVector {
  readonly capture: string;
  readonly cipher: string;
  readonly key2: string;
  readonly dir: 'C' | 'S';
  readonly packet: string;
  readonly epoch: number;
  readonly counter: number;
  readonly plaintext: string;
  /** The cipher key and the IV of the epoch. */
  readonly K: string;
  readonly iv: string;
}
