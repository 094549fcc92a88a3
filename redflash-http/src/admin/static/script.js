// Enhances pages. Every page works without it.
//
// | attribute | effect |
// | --- | --- |
// | <input data-filter>, in a fieldset | hides list entries without the text |
// | <form data-preview-url="…"> | sends the form to the URL on input; #preview shows the response |
// | <div data-events-url="…"> | shows each message of the stream; the event `end` closes it |
// | <button data-copy="text" hidden> | copies the text; without a value, the text of the next element |
// | <select data-submit> | submits its form on change |
// | <details class="confirm"> | scrolls into view when opened |
// | <time> | shows local time, with UTC in its title |
"use strict";

const find = (selector, within = document) => within.querySelectorAll(selector);

/** Shows times in the local time zone. Relative times stay, with the exact time as their title. */
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

/** Filters a checklist by the text typed. */
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

/** Previews a form on input. A new request aborts the previous one. */
function previews(within) {
  for (const form of find("form[data-preview-url]", within)) {
    let timer;
    let request = new AbortController();
    const preview = async () => {
      request.abort();
      request = new AbortController();
      const { signal } = request;
      const element = document.getElementById("preview");
      element.setAttribute("aria-busy", "true");
      try {
        const body = new URLSearchParams(new FormData(form));
        const response = await fetch(form.dataset.previewUrl, { method: "POST", body, signal });
        const html = await response.text();
        if (response.ok && !response.redirected && !signal.aborted) show(element, html);
      } catch {
        // The Preview button of the form still works.
      } finally {
        if (!signal.aborted) element.removeAttribute("aria-busy");
      }
    };
    form.addEventListener("input", (event) => {
      if (event.target.matches("[data-filter]")) return;
      clearTimeout(timer);
      timer = setTimeout(preview, 300);
    });
    preview();
  }
}

/** Updates a part of the page from an event stream. */
function events(within) {
  for (const element of find("[data-events-url]", within)) {
    const source = new EventSource(element.dataset.eventsUrl);
    source.addEventListener("message", (event) => show(element, event.data));
    source.addEventListener("end", () => source.close());
    addEventListener("pagehide", () => source.close());
  }
}

/** Copies text to the clipboard. */
function copies(within) {
  for (const button of find("[data-copy]", within)) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const text = button.dataset.copy || button.nextElementSibling.textContent.trim();
      const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
      button.textContent = done ? "Copied" : "Copy failed";
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
}

/** Replaces the content of an element with HTML from the server. Keeps focus and open details. */
function show(element, html) {
  const active = element.contains(document.activeElement) ? document.activeElement : null;
  const previous = [...find("details", element)];
  const opened = new Map(previous.map((details, index) => [details.id || index, details.open]));
  element.innerHTML = html;
  find("details", element).forEach((details, index) => {
    details.open ||= opened.get(details.id || index) ?? false;
  });
  enhance(element);
  if (active?.id) document.getElementById(active.id)?.focus();
  else if (active?.getAttribute("href")) {
    element.querySelector(`[href="${CSS.escape(active.getAttribute("href"))}"]`)?.focus();
  }
}

/** Scrolls an opened confirmation into view, with its buttons. */
function confirmations(within) {
  for (const details of find("details.confirm", within)) {
    details.addEventListener("toggle", () => {
      if (details.open) details.scrollIntoView({ block: "nearest" });
    });
  }
}

function enhance(within) {
  localTimes(within);
  confirmations(within);
  filters(within);
  copies(within);
  for (const choice of find("[data-submit]", within)) {
    choice.addEventListener("change", () => choice.form.requestSubmit());
  }
}

// Submits a form once, even if its button is clicked repeatedly.
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
// Allows submitting again after navigating back to a page.
addEventListener("pageshow", () => {
  for (const form of find("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

enhance(document);
previews(document);
events(document);
