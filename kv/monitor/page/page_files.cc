#include "kv/monitor/page/page_files.h"

#include <array>

namespace pontoon::kv {
namespace {

// Each of these is one raw string literal, made of a file by the BUILD file.
constexpr char kIndexHtml[] =
#include "kv/monitor/page/index.html.inc"
    ;
constexpr char kFaviconSvg[] =
#include "kv/monitor/page/favicon.svg.inc"
    ;
constexpr char kFiguresJs[] =
#include "kv/monitor/page/figures.js.inc"
    ;
constexpr char kPageCss[] =
#include "kv/monitor/page/page.css.inc"
    ;
constexpr char kPageJs[] =
#include "kv/monitor/page/page.js.inc"
    ;
constexpr char kChartJs[] =
#include "kv/monitor/page/chart.js.inc"
    ;

constexpr char kJavaScript[] = "text/javascript; charset=utf-8";

constexpr std::array<PageFile, 6> kFiles = {{
    {"/", "text/html; charset=utf-8", kIndexHtml},
    {"/page.css", "text/css; charset=utf-8", kPageCss},
    {"/page.js", kJavaScript, kPageJs},
    {"/figures.js", kJavaScript, kFiguresJs},
    {"/chart.js", kJavaScript, kChartJs},
    {"/favicon.svg", "image/svg+xml", kFaviconSvg},
}};

}  // namespace

std::span<const PageFile> PageFiles() { return kFiles; }

}  // namespace pontoon::kv
