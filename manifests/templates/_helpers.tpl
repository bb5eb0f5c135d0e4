{{/* The files beside values.yaml, with the values in place: as lib/manifest/manifests.c does. */}}

{{/* A value by its name, "node.resources", as JSON. */}}
{{- define "mckube.value" -}}
{{- $at := .root.Values }}
{{- range splitList "." .name }}{{ $at = get $at . }}{{ end }}
{{- toJson $at }}
{{- end }}

{{- define "mckube.image" -}}
{{- if .image.digest }}{{ .image.repository }}@{{ .image.digest }}
{{- else }}{{ .image.repository }}:{{ .image.tag | default (printf "v%s" .root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "mckube.fullname" -}}
{{ .Values.fullnameOverride | default .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* The text of a file with names, images and folders in place. */}}
{{- define "mckube.text" -}}
{{- $v := .root.Values }}
{{- $runtime := get .map.runtimes $v.runtime }}
{{- .root.Files.Get (printf "%s.yaml" .file)
  | replace "image: mckube\n" (printf "image: %s\n" (include "mckube.image" (dict "root" .root "image" $v.image)))
  | replace "image: mckube-node\n" (printf "image: %s\n" (include "mckube.image" (dict "root" .root "image" $v.nodeImage)))
  | replace "image: mckube-migrate\n" (printf "image: %s\n" (include "mckube.image" (dict "root" .root "image" $v.migrateImage)))
  | replace "mckube-system" .root.Release.Namespace
  | replace "  name: mckube-watch\n" (printf "  name: %s\n" (include "mckube.fullname" .root))
  | replace "  name: mckube-apply\n" (printf "  name: %s\n" (include "mckube.fullname" .root))
  | replace "/run/containerd/io.containerd.runtime.v2.task" "@bundles@"
  | replace "/run/containerd" $runtime.state
  | replace "@bundles@" ($v.bundles | default $runtime.bundles)
  | replace "/var/lib/kubelet" ($v.kubeletRoot | default $runtime.kubelet)
  | replace "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmission" (printf "apiVersion: admissionregistration.k8s.io/%s\nkind: MutatingAdmission" $v.admission.mutating.version) }}
{{- end }}

{{/* Puts one value into an object. */}}
{{- define "mckube.edit" -}}
{{- $at := .object }}
{{- $path := .row.path }}
{{- if eq (first $path) "pod" }}
{{-   $path = concat (ternary (list "spec" "jobTemplate" "spec" "template") (list "spec" "template") (eq $at.kind "CronJob")) (rest $path) }}
{{- end }}
{{- range initial $path }}
{{-   if kindIs "string" . }}
{{-     if not (hasKey $at .) }}{{ $_ := set $at . dict }}{{ end }}
{{-     $at = get $at . }}
{{-   else }}
{{-     $at = index $at (int .) }}
{{-   end }}
{{- end }}
{{- $key := last $path }}
{{- $value := .value }}
{{- if eq .row.how "merge" }}
{{-   $value = mergeOverwrite (get $at $key | default dict) $value }}
{{- else if eq .row.how "append" }}
{{-   $value = concat (get $at $key | default list) $value }}
{{- else if eq .row.how "text" }}
{{-   $value = mergeOverwrite (get $at $key | fromYaml) $value | toRawJson }}
{{- else if eq .row.how "json" }}
{{-   $value = toRawJson $value }}
{{- end }}
{{- $_ := set $at $key $value }}
{{- end }}

{{/* "true" where a file is part of the release. */}}
{{- define "mckube.isWanted" -}}
{{- $root := .root }}
{{- $isWanted := not .file.when }}
{{- range .file.when }}
{{-   $isWanted = or $isWanted (eq (include "mckube.value" (dict "root" $root "name" .)) "true") }}
{{- end }}
{{- if and .file.unless (eq (include "mckube.value" (dict "root" $root "name" .file.unless)) "true") }}
{{-   $isWanted = false }}
{{- end }}
{{- if and $isWanted (ne .file.name "namespace") }}true{{ end }}
{{- end }}

{{/* All objects; those of a chart say so in their labels. */}}
{{- define "mckube.objects" -}}
{{- $root := . }}
{{- $map := .Files.Get "values.map.yaml" | fromYaml }}
{{- if not (hasKey $map.runtimes .Values.runtime) }}
{{-   fail (printf "runtime: %s is none of %s" .Values.runtime (keys $map.runtimes | sortAlpha | join ", ")) }}
{{- end }}
{{- range $file := $map.files }}
{{-   if include "mckube.isWanted" (dict "root" $root "file" $file) }}
{{-     range splitList "\n---\n" (include "mckube.text" (dict "root" $root "map" $map "file" $file.name)) }}
{{-       $object := fromYaml . }}
{{-       range $row := $map.values }}
{{-         $json := "null" }}
{{-         if $row.value }}
{{-           $json = include "mckube.value" (dict "root" $root "name" $row.value) }}
{{-         else if eq (include "mckube.value" (dict "root" $root "name" $row.when)) "true" }}
{{-           $json = toJson $row.give }}
{{-         end }}
{{-         if and (has $file.name $row.files) (eq $object.kind ($row.kind | default $object.kind)) (not (has $json (list "\"\"" "{}" "[]" "null"))) }}
{{-           include "mckube.edit" (dict "object" $object "row" $row "value" (printf "{\"value\":%s}" $json | fromJson).value) }}
{{-         end }}
{{-       end }}
{{-       include "mckube.own" (dict "root" $root "object" $object) }}
---
{{ toYaml $object }}
{{-     end }}
{{-   end }}
{{- end }}
{{- end }}

{{/* What Helm asks of its objects; definitions outlive a release. */}}
{{- define "mckube.own" -}}
{{- $labels := dict "app.kubernetes.io/managed-by" .root.Release.Service "app.kubernetes.io/instance" .root.Release.Name "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") }}
{{- $meta := .object.metadata }}
{{- $_ := set $meta "labels" (mergeOverwrite ($meta.labels | default dict) $labels) }}
{{- if and (eq .object.kind "CustomResourceDefinition") .root.Values.crds.keep }}
{{-   $_ := set $meta "annotations" (mergeOverwrite ($meta.annotations | default dict) (dict "helm.sh/resource-policy" "keep")) }}
{{- end }}
{{- end }}
