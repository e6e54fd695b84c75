// The types of media files, by the ends of their names.

const TYPES: Readonly<Record<string, string>> = {
  jpg: "image/jpeg", jpeg: "image/jpeg", jfif: "image/jpeg", png: "image/png", gif: "image/gif", webp: "image/webp", avif: "image/avif",
  bmp: "image/bmp", ico: "image/x-icon", svg: "image/svg+xml", tif: "image/tiff", tiff: "image/tiff", heic: "image/heic", jxl: "image/jxl",
  mp3: "audio/mpeg", ogg: "audio/ogg", oga: "audio/ogg", opus: "audio/ogg", spx: "audio/ogg", wav: "audio/wav", flac: "audio/flac",
  m4a: "audio/mp4", aac: "audio/aac", weba: "audio/webm", "3gp": "video/3gpp",
  mp4: "video/mp4", m4v: "video/mp4", webm: "video/webm", ogv: "video/ogg", mov: "video/quicktime", mkv: "video/x-matroska", avi: "video/x-msvideo",
  mpg: "video/mpeg", mpeg: "video/mpeg",
  css: "text/css", js: "text/javascript", mjs: "text/javascript", json: "application/json", txt: "text/plain", csv: "text/csv", html: "text/html",
  htm: "text/html", xhtml: "application/xhtml+xml", xml: "application/xml", pdf: "application/pdf",
  ttf: "font/ttf", otf: "font/otf", woff: "font/woff", woff2: "font/woff2",
};

/** The type of a file; one whose name says nothing is bytes. */
export function typeOf(name: string): string {
  const end = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const type = (Object.hasOwn(TYPES, end) && TYPES[end]) || "application/octet-stream"; // any object has a "constructor"
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}
