// What a small app of React needs, for a page without a bundler (an import map calls this "react").

import React from "react";

export { createRoot } from "react-dom/client";
export const { createElement, StrictMode, useEffect, useRef, useState, useSyncExternalStore } = React;
