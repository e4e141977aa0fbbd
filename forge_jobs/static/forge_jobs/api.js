// The page to read and to try the HTTP API.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const page = document.getElementById("api");
  SwaggerUIBundle({
    domNode: page,
    url: page.dataset.description,
    deepLinking: true,
    validatorUrl: null,
    // For whoever is logged in to the admin, and has chosen no token.
    requestInterceptor: (request) => {
      if (!request.headers.Authorization) request.headers["X-CSRFToken"] = page.dataset.csrf;
      return request;
    },
  });
});
