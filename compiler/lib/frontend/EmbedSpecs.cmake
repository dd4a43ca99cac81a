# Writes OUTPUT: one {name, text} initialiser per spec file, as raw string literals.
set(table "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND table "{\"${name}\", R\"spec(${text})spec\"},\n")
endforeach()
file(WRITE ${OUTPUT} "${table}")
