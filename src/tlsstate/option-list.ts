/**
 * Splits the options of a PUSH_REPLY at commas outside of double quotes; a backslash takes the next
 * character along. Where the quotes do not close it splits at every comma, as 2.x does. Empty
 * options are left out.
 */
export function splitOptions(list: string): string[] {
  const options = splitQuoted(list) ?? list.split(',');
  return options.filter((option) => option !== '');
}

/** The options as a PUSH_REPLY carries them: one with a bare comma would be two, so it is left out. */
export function joinOptions(options: readonly string[]): string[] {
  return options.filter((option) => splitOptions(option).length === 1);
}

function splitQuoted(list: string): string[] | undefined {
  const options: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < list.length; at += 1) {
    const character = list[at];
    if (character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      options.push(list.slice(from, at));
      from = at + 1;
    }
  }
  if (quoted) return undefined;
  options.push(list.slice(from));
  return options;
}
