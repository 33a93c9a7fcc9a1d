/** The longest outer data packets that passed, without IP and UDP headers. Unit: bytes. */
export interface OuterSizes {
  received: number;
  sent: number;
}
