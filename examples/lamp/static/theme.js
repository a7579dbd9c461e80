"use strict";
// In the head, before the first paint: the chosen theme, else the system's
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
