/** Headers as they are written: each with its end of line, as one text. */
export function headerLines(headers: Readonly<Record<string, string>>): string {
  let lines = '';
  for (const name in headers) lines += `${name}: ${headers[name] ?? ''}\r\n`;
  return lines;
}

/** The same as `writeHead` takes them: names and values in turns. */
export function headerList(lines: string): string[] {
  const list: string[] = [];
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) list.push(line.slice(0, colon), line.slice(colon + 2));
  }
  return list;
}
