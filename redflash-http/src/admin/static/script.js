// Makes pages quicker to use. Every page works without it.
//
// | attribute | does |
// | --- | --- |
// | <input data-filter>, in a fieldset | hides the entries of the list beside it that lack the text |
// | <form data-preview-url="…"> | sends the form there as it is filled in; #preview shows the answer |
// | <div data-events-url="…"> | shows each message of that stream; the event `end` closes it |
// | <button data-copy="text" hidden> | copies the text; without a value, what the next element says |
// | <select data-submit> | sends its form when it is changed |
// | <details class="confirm"> | comes into view when it is opened |
// | <time> | shows the reader's own time; UTC is in its title |
"use strict";

const find = (selector, within = document) => within.querySelectorAll(selector);

/** Times in the zone of the reader. Relative ones stay, with the exact time as their title. */
function localTimes(within) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  for (const time of find("time[datetime]:not([data-local])", within)) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.dataset.local = "";
    if ("ago" in time.dataset) {
      time.title = `${format.format(at)} (${time.title})`;
    } else {
      time.title = time.textContent;
      time.textContent = format.format(at);
    }
  }
}

/** A list to tick shows only what has the text typed. */
function filters(within) {
  for (const input of find("[data-filter]", within)) {
    const list = input.closest("fieldset");
    input.hidden = false;
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const entry of find("li", list)) {
        entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
        shown += entry.hidden ? 0 : 1;
      }
      list.querySelector("[data-filter-none]").hidden = shown > 0;
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }
}

/** Shows what a form would do while it is filled in. Only the answer to the last question counts. */
function previews(within) {
  for (const form of find("form[data-preview-url]", within)) {
    let timer;
    let asking = new AbortController();
    const ask = async () => {
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      const place = document.getElementById("preview");
      place.setAttribute("aria-busy", "true");
      try {
        const body = new URLSearchParams(new FormData(form));
        const answer = await fetch(form.dataset.previewUrl, { method: "POST", body, signal });
        const html = await answer.text();
        if (answer.ok && !answer.redirected && !signal.aborted) show(place, html);
      } catch {
        // The page still has its button, which shows the same.
      } finally {
        if (!signal.aborted) place.removeAttribute("aria-busy");
      }
    };
    form.addEventListener("input", (event) => {
      if (event.target.matches("[data-filter]")) return;
      clearTimeout(timer);
      timer = setTimeout(ask, 300);
    });
    ask();
  }
}

/** Keeps a part of the page up to date. */
function events(within) {
  for (const place of find("[data-events-url]", within)) {
    const source = new EventSource(place.dataset.eventsUrl);
    source.addEventListener("message", (event) => show(place, event.data));
    source.addEventListener("end", () => source.close());
    addEventListener("pagehide", () => source.close());
  }
}

/** Copies a text. */
function copies(within) {
  for (const button of find("[data-copy]", within)) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const says = button.textContent;
    button.addEventListener("click", async () => {
      const text = button.dataset.copy || button.nextElementSibling.textContent.trim();
      const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
      button.textContent = done ? "Copied" : "Not allowed";
      setTimeout(() => { button.textContent = says; }, 2000);
    });
  }
}

/** Puts a fragment into a place, as the server made it; who stood on a link in it stays there. */
function show(place, html) {
  const active = place.contains(document.activeElement) ? document.activeElement : null;
  const before = [...find("details", place)];
  const opened = new Map(before.map((details, index) => [details.id || index, details.open]));
  place.innerHTML = html;
  find("details", place).forEach((details, index) => {
    details.open ||= opened.get(details.id || index) ?? false;
  });
  enliven(place);
  if (active?.id) document.getElementById(active.id)?.focus();
  else if (active?.getAttribute("href")) {
    place.querySelector(`[href="${CSS.escape(active.getAttribute("href"))}"]`)?.focus();
  }
}

/** A question that is opened below the edge of the screen comes into view, with its buttons. */
function confirmations(within) {
  for (const details of find("details.confirm", within)) {
    details.addEventListener("toggle", () => {
      if (details.open) details.scrollIntoView({ block: "nearest" });
    });
  }
}

function enliven(within) {
  localTimes(within);
  confirmations(within);
  filters(within);
  copies(within);
  for (const choice of find("[data-submit]", within)) {
    choice.addEventListener("change", () => choice.form.requestSubmit());
  }
}

// A form is sent once, however often its button is pressed.
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  form.setAttribute("aria-busy", "true");
});
// Who comes back to a page may send its forms again.
addEventListener("pageshow", () => {
  for (const form of find("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

enliven(document);
previews(document);
events(document);
