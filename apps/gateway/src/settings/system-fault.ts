const sentences: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'the address is already in use',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EAI_AGAIN: 'the name of the host cannot be resolved',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTFOUND: 'no such host',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
};

/** Why a system call failed, in words. An error without a sentence here shows its code, so that users can search for it. */
export function systemFault(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return sentences[code] ?? (code === '' || message.includes(code) ? message : `${message} (${code})`);
}
