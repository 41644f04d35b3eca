/** Hands bytes to the browser to save. @param name as the browser offers it; folders of it are left out */
export function saveFile(parts: BlobPart[], name: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name.split(/[\\/]/).at(-1) ?? 'file';
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
