/** The closing lines of `ping`: counts, loss, and round-trip times where there are any. */
export function summary(host: string, sent: number, times: readonly number[]): string[] {
  const loss = sent === 0 ? 0 : ((sent - times.length) / sent) * 100;
  const lines = [
    `--- ${host} ping statistics ---`,
    `${sent} packets transmitted, ${times.length} received, ${Number(loss.toFixed(1))}% packet loss`,
  ];
  if (times.length === 0) return lines;
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length;
  const least = times.reduce((a, b) => Math.min(a, b));
  const most = times.reduce((a, b) => Math.max(a, b));
  const figures = [least, mean, most, Math.sqrt(variance)];
  return [
    ...lines,
    `rtt min/avg/max/mdev = ${figures.map((figure) => figure.toFixed(3)).join('/')} ms`,
  ];
}
