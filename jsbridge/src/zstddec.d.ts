// What build.mjs makes of the package zstddec.

declare module "zstddec.wasm" {
  /** The decoder of the zstd library: WebAssembly, deflated, in base64. */
  const packed: string;
  export default packed;
}
