# Reference estimates of tests/reference/panel_models.csv, for tests/test_reference.py.
# Debian: r-base-core r-cran-plm r-cran-sandwich r-cran-lmtest r-cran-aer r-cran-mass
# Run in this folder: Rscript panel_models.R   (the panel is Grunfeld's and Produc's, in plm)
suppressMessages({library(plm); library(sandwich); library(lmtest); library(AER); library(MASS)})
rows <- list()
keep <- function(model, test) {
  for (term in rownames(test)) {
    rows[[length(rows) + 1]] <<- data.frame(model = model, term = term,
      estimate = format(test[term, 1], digits = 15), std_error = format(test[term, 2], digits = 15))
  }
}
data("Grunfeld", package = "plm")
Grunfeld$firm <- factor(Grunfeld$firm); Grunfeld$year <- factor(Grunfeld$year)
write.csv(Grunfeld[, c("firm", "year", "inv", "value", "capital")], "grunfeld.csv", row.names = FALSE, quote = FALSE)
form <- inv ~ value + capital
index <- c("firm", "year")
classical <- function(fit) coef(summary(fit))[, 1:2, drop = FALSE]
keep("first differences, classical", classical(plm(form, Grunfeld, index = index, model = "fd")))
keep("between, classical", classical(plm(form, Grunfeld, index = index, model = "between")))
keep("unit effects, classical", classical(plm(form, Grunfeld, index = index, model = "within")))
two <- plm(form, Grunfeld, index = index, model = "within", effect = "twoways")
keep("unit and year effects, classical", classical(two))
keep("unit and year effects, clustered, no factor",
     coeftest(two, vcov. = vcovHC(two, method = "arellano", type = "HC0"))[, 1:2])
lsdv <- lm(inv ~ value + capital + firm + year, Grunfeld)
keep("dummies, clustered, every dummy counted",
     coeftest(lsdv, vcov. = vcovCL(lsdv, cluster = Grunfeld$firm, type = "HC1"))[c("value", "capital"), 1:2])
keep("dummies, robust HC1", coeftest(lsdv, vcov. = vcovHC(lsdv, type = "HC1"))[c("value", "capital"), 1:2])
weighted <- lm(inv ~ value + capital + firm, Grunfeld, weights = value)
keep("weighted, unit effects, clustered, every dummy counted",
     coeftest(weighted, vcov. = vcovCL(weighted, cluster = Grunfeld$firm, type = "HC1"))[c("value", "capital"), 1:2])
iv <- ivreg(inv ~ value + firm | capital + firm, data = Grunfeld)
keep("instrumented, unit effects, clustered, no factor",
     coeftest(iv, vcov. = vcovCL(iv, cluster = Grunfeld$firm, type = "HC0", cadjust = FALSE))["value", 1:2, drop = FALSE])
count <- round(Grunfeld$inv)
poisson <- glm(count ~ log(value) + firm, Grunfeld, family = "poisson", control = list(epsilon = 1e-14))
keep("poisson, unit effects, clustered, no factor",
     coeftest(poisson, vcov. = vcovCL(poisson, cluster = Grunfeld$firm, type = "HC0", cadjust = FALSE))["log(value)", 1:2, drop = FALSE])
keep("poisson, offset",
     coeftest(glm(count ~ log(value) + offset(log(capital)), Grunfeld, family = "poisson", control = list(epsilon = 1e-14)),
              vcov. = function(m) vcovHC(m, type = "HC0"))["log(value)", 1:2, drop = FALSE])
negative <- glm.nb(count ~ log(value) + firm, Grunfeld, control = glm.control(epsilon = 1e-14, maxit = 200))
keep("negative binomial, unit effects", matrix(c(coef(negative)["log(value)"], NA), 1, dimnames = list("log(value)", NULL)))
out <- do.call(rbind, rows)
write.csv(out, "panel_models.csv", row.names = FALSE)
versions <- sapply(c("plm", "sandwich", "lmtest", "AER", "MASS"), function(p) as.character(packageVersion(p)))
writeLines(paste(c("R", names(versions)), c(as.character(getRversion()), versions)), "panel_models.versions.txt")
