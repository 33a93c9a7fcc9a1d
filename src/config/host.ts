/** A name or an address in letters, digits and `. - _ : %`, or bytes beyond ASCII. */
export function isHost(text: string): boolean {
  return text.length > 0 && text.length <= 255 && /^[A-Za-z0-9._:%\u0080-\uffff-]+$/.test(text);
}
