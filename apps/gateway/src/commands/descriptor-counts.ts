/** What became of file descriptors, since the start; for metrics. */
export class DescriptorCounts {
  readonly all = { passed: 0, refused: 0, unused: 0 };

  /** The VM has them. */
  passed(count: number): void {
    this.all.passed += count;
  }

  /** Their command was refused, or the VM answered it with an error. */
  refused(count: number): void {
    this.all.refused += count;
  }

  /** A client of a monitor socket sent them, and no command took them. */
  unused(count: number): void {
    this.all.unused += count;
  }
}
