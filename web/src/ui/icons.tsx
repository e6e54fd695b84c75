// The icons: one path each, drawn for this app on a grid of 24.

const PATHS = {
  decks: "M4 8h13a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1zM7 4h13a1 1 0 0 1 1 1v11",
  browse: "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500 21 21",
  plus: "M12 5v14M5 12h14",
  stats: "M4 20h16M6.500 16v-5M12 16V6M17.500 16v-8",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM9 14.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z",
  sync: "M4.500 12a7.500 7.500 0 0 1 13-5.100L20 9.500M20 4.500v5h-5M19.500 12a7.500 7.500 0 0 1-13 5.100L4 14.500M4 19.500v-5h5",
  check: "M5 12.500 10 17.500 19.500 7",
  choose: "M8 4v13M8 17l-4-4M8 17l4-4M16 20V7M16 7l-4 4M16 7l4 4",
  cloudOff: "M4 4l16 16M9.500 6.300A6 6 0 0 1 17.800 11H18a4 4 0 0 1 2.900 6.700M16.500 19H7a4.500 4.500 0 0 1-.6-8.960",
  cloud: "M7 19a4.500 4.500 0 0 1-.6-8.960A6 6 0 0 1 17.800 11H18a4 4 0 0 1 0 8z",
  alert: "M12 4 2.800 19.500h18.400zM12 10v4.500M12 17.200v.1",
  info: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM12 11v5M12 8v.1",
  back: "M19 12H5M11 6l-6 6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  undo: "M9 7 4.500 11.500 9 16M5 11.500h9a5 5 0 0 1 0 10h-3",
  more: "M5.500 12v.01M12 12v.01M18.500 12v.01",
  flag: "M6 21V4M6 4.500h12l-3 4 3 4H6",
  chevron: "M9 6l6 6-6 6",
  image: "M5 5h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM4 16l4.500-4.500 4 4 3-3L20 17M14.500 9v.01",
  camera: "M8.500 6.500 10 4.500h4l1.500 2H19a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7.500a1 1 0 0 1 1-1zM12 9a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z",
  sound: "M4 10v4h3.500L12 18V6L7.500 10zM15.500 9.500a3.500 3.500 0 0 1 0 5M18 7a7 7 0 0 1 0 10",
  edit: "M4 20l1-4.500L16.500 4l3.500 3.500L8.500 19zM14 6.500 17.500 10",
  trash: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5",
  pause: "M9 6v12M15 6v12",
  moon: "M20 14.500A8.500 8.500 0 1 1 9.500 4 7 7 0 0 0 20 14.500z",
  device: "M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM11 18h2",
  keyboard: "M4 7h16a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zM7 10.500v.01M10.300 10.500v.01M13.700 10.500v.01M17 10.500v.01M8.500 14h7",
  eye: "M2.500 12S6 6 12 6s9.500 6 9.500 6-3.500 6-9.500 6-9.500-6-9.500-6zM12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon; it says nothing to a screen reader, so a text stands beside it or labels its button. */
export function Icon(p: { name: IconName; class?: string }) {
  return (
    <svg class={`icon i-${p.name} ${p.class ?? ""}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[p.name]} />
    </svg>
  );
}
