/** No connection to the gateway was made, so nothing was sent. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
}
