/** The address of a module that is built as a shared worker. */
declare module "*?sharedworker&url" {
  const url: string;
  export default url;
}
