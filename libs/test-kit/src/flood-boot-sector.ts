/**
 * A floppy image whose boot sector writes to the pvpanic port for ever: tens of thousands of `GUEST_CRASHLOADED`
 * events a second. For `-device pvpanic -drive if=floppy,format=raw,file=…`, with TCG.
 */
export function floodBootSector(): Buffer {
  // mov dx, 0x505; mov al, 2; again: out dx, al; jmp again
  return bootSector([0xba, 0x05, 0x05, 0xb0, 0x02, 0xee, 0xeb, 0xfd]);
}

function bootSector(code: readonly number[]): Buffer {
  const image = Buffer.alloc(512);
  image.set(code);
  image.writeUInt16LE(0xaa55, 510);
  return image;
}
