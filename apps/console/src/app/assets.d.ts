/** Files that the build puts beside the page: their address. */
declare module '*.svg' {
  const url: string;
  export default url;
}
declare module '*.css';
