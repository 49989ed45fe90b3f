// The fields of a form beside the text of its message.

/** The fields without the first whose value the text repeats: nobody needs to read it twice. */
export function beside(fields: readonly (readonly [string, string])[], text: string): (readonly [string, string])[] {
  const told = plain(text);
  const repeated = told === '' ? -1 : fields.findIndex(([, value]) => plain(value) === told);
  return fields.filter((_, index) => index !== repeated);
}

/** Line ends and outer space differ between what a browser sent and what is kept. */
function plain(text: string): string {
  return text.replace(/\r\n?/g, '\n').trim();
}
