(() => {
  "use strict";
  const open = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (target && target.tagName === "DETAILS") {
      target.open = true;
      target.scrollIntoView({ block: "start" });
    }
  };
  addEventListener("hashchange", open);
  open();
  const zh = document.documentElement.lang.startsWith("zh");
  if (navigator.clipboard && isSecureContext) {
    for (const code of document.querySelectorAll(".command code")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = zh ? "复制" : "Copy";
      button.addEventListener("click", () => {
        navigator.clipboard.writeText(code.textContent).then(() => {
          button.textContent = zh ? "已复制" : "Copied";
        });
      });
      code.after(button);
    }
  }
})();
