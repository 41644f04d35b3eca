/** The same command for a terminal and for a program. */

/** In single quotes, which a shell takes as it is. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * A line for a shell with bash's escapes off. The token is read from the environment, so that none is in a history.
 * @param origin of the gateway: `https://gw.example.org`
 * @param args the text of the arguments; undefined for none
 */
export function curlLine(origin: string, vm: string, command: string, args: string | undefined): string {
  const url = `${origin}/v1/vms/${encodeURIComponent(vm)}/qmp/${encodeURIComponent(command)}`;
  const body = args === undefined ? '-X POST' : `--json ${shellQuoted(args)}`;
  return `curl -sS -H "Authorization: Bearer $QMPGW_TOKEN" ${body} ${shellQuoted(url)}`;
}

/** The message for `/v1/ws`. */
export function jsonRpcLine(vm: string, command: string, args: string | undefined): string {
  const params = `"vm":${JSON.stringify(vm)},"command":${JSON.stringify(command)}`;
  const all = args === undefined ? params : `${params},"arguments":${args}`;
  return `{"jsonrpc":"2.0","id":1,"method":"execute","params":{${all}}}`;
}
