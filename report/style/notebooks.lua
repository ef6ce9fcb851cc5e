-- On the site, each figure leads to the cell that made it, and each notebook's page to the file itself: Quarto's books
-- link to no notebooks of their own accord.

local function named(path)
  return pandoc.path.filename(path)
end

local function source(div)
  if not div.classes:includes("quarto-embed-nb-cell") then
    return nil
  end
  local label = div.attributes["notebook-cellId"]:gsub("^cell%-", "")
  local target = "/cache/notebooks/" .. named(div.attributes.notebook) .. "#" .. label
  div.attributes.notebook = nil -- a path of this machine
  div.content:insert(pandoc.Div(pandoc.Para(pandoc.Link("Source", target)), pandoc.Attr("", { "source" })))
  return div
end

local function download(document)
  local file = quarto.doc.input_file
  if file:match("%.ipynb$") then
    document.blocks:insert(1, pandoc.Para(pandoc.Link("Download " .. named(file), named(file), "", { noresolveinput = "" })))
  end
  return document
end

if quarto.doc.is_format("html") then
  return { { Div = source, Pandoc = download } }
end
