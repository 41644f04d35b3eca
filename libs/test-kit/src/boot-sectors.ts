/**
 * A floppy image whose boot sector writes to the pvpanic port for ever: tens of thousands of `GUEST_CRASHLOADED`
 * events a second. For `-device pvpanic -drive if=floppy,format=raw,file=…`, with TCG.
 */
export function floodBootSector(): Buffer {
  // mov dx, 0x505; mov al, 2; again: out dx, al; jmp again
  return bootSector([0xba, 0x05, 0x05, 0xb0, 0x02, 0xee, 0xeb, 0xfd]);
}

/**
 * A guest of a few instructions that honours the power button: with `-machine pc` and `-device pvpanic` it says that it is
 * up (GUEST_CRASHLOADED), waits for the button, and switches the machine off (SHUTDOWN with reason guest-shutdown).
 *
 * Boot it as a raw floppy. Ports are those SeaBIOS gives the power management of the PIIX4: status 0x600, enable 0x602,
 * control 0x604; 0x505 is pvpanic's.
 */
export function powerButtonBootSector(): Buffer {
  return bootSector([
    ...[0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef], // dx = enable; ax = power button; out
    ...[0xba, 0x05, 0x05, 0xb0, 0x02, 0xee], // dx = pvpanic; al = crash loaded; out
    ...[0xba, 0x00, 0x06], // dx = status
    ...[0xed, 0xf6, 0xc4, 0x01, 0x74, 0xfa], // in; until the bit of the power button is set
    ...[0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef], // dx = control; ax = sleep, type S5; out
    0xf4, // hlt
  ]);
}

/**
 * A guest that shows what is typed, and writes it to port 0xe9 (`-debugcon`), for ever: with `-machine pc` under TCG, a
 * display, and `-device pvpanic`, which says when it listens (GUEST_CRASHLOADED). Boot it as a raw floppy.
 */
export function echoBootSector(): Buffer {
  return bootSector([
    ...[0xba, 0x05, 0x05, 0xb0, 0x02, 0xee], // dx = pvpanic; al = crash loaded; out
    ...[0x30, 0xe4, 0xcd, 0x16], // wait for a key: al = its character
    ...[0xe6, 0xe9], // out to the debug console
    ...[0xb4, 0x0e, 0xcd, 0x10], // show it
    ...[0xeb, 0xf4], // again
  ]);
}

/**
 * A guest that says `>` on its first serial port, then sends back each byte, for ever: with `-machine pc`. Boot it as a raw
 * floppy.
 */
export function serialEchoBootSector(): Buffer {
  return bootSector([
    ...[0xba, 0xf8, 0x03, 0xb0, 0x3e, 0xee], // dx = data; al = '>'; out
    ...[0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb], // again: dx = line status; in until a byte is there
    ...[0xba, 0xf8, 0x03, 0xec, 0x88, 0xc3], // dx = data; in; bl = al
    ...[0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb], // dx = line status; in until there is room
    ...[0xba, 0xf8, 0x03, 0x88, 0xd8, 0xee], // dx = data; al = bl; out
    ...[0xeb, 0xe2], // again
  ]);
}

/** A guest that counts on its first serial port, a byte after the other, for ever: with `-machine pc`. Boot it as a raw floppy. */
export function serialFloodBootSector(): Buffer {
  return bootSector([
    ...[0xba, 0xfd, 0x03, 0xec], // dx = line status; in
    ...[0xa8, 0x20, 0x74, 0xf8], // until there is room
    ...[0xba, 0xf8, 0x03, 0x88, 0xd8, 0xee], // dx = data; al = bl; out
    ...[0xfe, 0xc3, 0xeb, 0xee], // bl + 1; again
  ]);
}

/** A guest that paints its whole screen in another colour, for ever: with `-machine pc` under TCG and a VGA. Boot it as a raw floppy. */
export function repaintBootSector(): Buffer {
  return bootSector([
    ...[0xb8, 0x13, 0x00, 0xcd, 0x10], // ax = 320 x 200, 256 colours; set the mode
    ...[0xb8, 0x00, 0xa0, 0x8e, 0xc0], // es = memory of the screen
    ...[0x30, 0xdb], // bl = colour
    ...[0x31, 0xff, 0xb9, 0x00, 0xfa], // again: di = 0; cx = 64000
    ...[0x88, 0xd8, 0xfc, 0xf3, 0xaa], // al = bl; upwards; store cx times
    ...[0xfe, 0xc3, 0xeb, 0xf2], // the next colour; again
  ]);
}

/** A guest that panics at once and halts: with `-machine pc` and `-device pvpanic`. Boot it as a raw floppy. */
export function panicBootSector(): Buffer {
  // mov dx, 0x505; mov al, 1; out dx, al; again: hlt; jmp again
  return bootSector([0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, 0xf4, 0xeb, 0xfd]);
}

/** A guest that sets a watchdog of no time at all and halts: with `-machine pc` and `-device ib700`. Boot it as a raw floppy. */
export function watchdogBootSector(): Buffer {
  // mov dx, 0x443; mov al, 15 (0 s); out dx, al; again: hlt; jmp again
  return bootSector([0xba, 0x43, 0x04, 0xb0, 0x0f, 0xee, 0xf4, 0xeb, 0xfd]);
}

/** A guest that switches its machine off at once: with `-machine pc`. Boot it as a raw floppy. */
export function powerOffBootSector(): Buffer {
  // mov dx, 0x604 (control); mov ax, 0x2000 (sleep, type S5); out dx, ax; again: hlt; jmp again
  return bootSector([0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4, 0xeb, 0xfd]);
}

function bootSector(code: readonly number[]): Buffer {
  const image = Buffer.alloc(512);
  image.set(code);
  image.writeUInt16LE(0xaa55, 510);
  return image;
}
