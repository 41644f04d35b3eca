/** One end of a display does not speak RFB, or not as much of it as the gateway can follow; the connection ends. */
export class RfbFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RfbFault';
  }
}
