-- In print, a figure from a notebook stands in no block of its own, out of which it couldn't float; and a reference to
-- what the edition leaves to the site says so. Which those are, and what is said, stands in the metadata. A label that
-- begins with a capital begins a sentence.

local said = {}

local function read(meta)
  for label, words in pairs(meta["left-out"] or {}) do
    said[label] = pandoc.utils.stringify(words)
  end
end

local function reference(cite)
  local id = cite.citations[1].id
  local words = said[id:sub(1, 1):lower() .. id:sub(2)]
  return words and pandoc.Str(id:match("^%u") and words:gsub("^%l", string.upper) or words)
end

local wrappers = { "quarto-embed-nb-cell", "cell", "cell-output", "cell-output-display" }

local function unwrapped(div)
  local wraps = div.identifier == "" and div.classes:find_if(function(class)
    return pandoc.List(wrappers):includes(class)
  end)
  return wraps and div.content or nil
end

local function heading(header) -- of a chapter that is left out: Quarto keeps it, whatever it stands in
  return said[header.identifier] and {} or nil
end

return { { Meta = read }, { Cite = reference, Div = unwrapped, Header = heading } }
